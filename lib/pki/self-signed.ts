// A certificate that vouches for itself: for a server whose clients are given that very certificate to trust.
import { type Names, subjectName } from "./names.ts";
import { exportPrivateKey } from "./private-key.ts";
import { serverExtensions } from "./server-extensions.ts";
import { signedCertificate } from "./signed-certificate.ts";

export interface SelfSignedOptions extends Names {
  /** Of one of the `keyAlgorithms`; the private key extractable. */
  keys: CryptoKeyPair;
  /** Hexadecimal, unique per certificate. */
  serialNumber: string;
  notBeforeMs: number;
  notAfterMs: number;
}

/**
 * Certificate and private key (PKCS #8) as PEM. The certificate is no CA, so it can vouch for no other.
 * Throws without names, and when a name, an address, the serial number or the time is none.
 */
export async function selfSigned(options: SelfSignedOptions): Promise<{ certificatePem: string; keyPem: string }> {
  const { keys, dnsNames, ipAddresses, serialNumber, notBeforeMs, notAfterMs } = options;
  const extensions = await serverExtensions(keys.publicKey, options);
  const name = await subjectName(dnsNames[0] ?? ipAddresses[0] ?? "");
  const certificatePem = await signedCertificate({
    subject: name,
    publicKey: keys.publicKey,
    issuer: name,
    signingKey: keys.privateKey,
    serialNumber,
    notBeforeMs,
    notAfterMs,
    extensions,
  });
  return { certificatePem, keyPem: await exportPrivateKey(keys.privateKey) };
}
