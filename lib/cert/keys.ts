// Keys and serial numbers: the chance that lib/pki takes as arguments.
import { type KeyAlgorithmName, keyAlgorithms, keyUsages } from "../pki/key-algorithm.ts";

/** A new pair of keys to sign with; the private one can be exported. */
export async function generateKeys(algorithm: KeyAlgorithmName = "P-256"): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(keyAlgorithms[algorithm], true, [...keyUsages])) as CryptoKeyPair;
}

/** 126 bits of chance, in hexadecimal; positive, as RFC 5280 §4.1.2.2 wants it. */
export function newSerialNumber(): string {
  const [first, ...rest] = crypto.getRandomValues(new Uint8Array(16));
  return Buffer.from([((first as number) & 0x3f) | 0x40, ...rest]).toString("hex");
}
