// Serial numbers of certificates, RFC 5280 §4.1.2.2.

/**
 * Lower-case hexadecimal with an even number of digits, as DER and OpenSSL have it.
 * Throws unless it is a positive number of at most 159 bits, which with its sign fills the 20 bytes that readers accept.
 */
export function parseSerialNumber(text: string): string {
  const value = /^[0-9a-f]+$/i.test(text) ? BigInt(`0x${text}`) : 0n;
  if (value <= 0n || value >= 1n << 159n) {
    throw new Error(`Cannot number a certificate "${text}": must be hexadecimal, positive and of at most 159 bits`);
  }
  const digits = value.toString(16);
  return digits.padStart(digits.length + (digits.length % 2), "0");
}
