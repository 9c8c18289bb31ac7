// The one place that signs certificates: whatever the library would draw or look up by itself is given to it here.
import type { Extension, Name } from "@peculiar/x509";
import { signingAlgorithmOf } from "./key-algorithm.ts";
import { subjectName } from "./names.ts";
import { encodePem } from "./pem.ts";
import { exportPrivateKey } from "./private-key.ts";
import { parseSerialNumber } from "./serial-number.ts";
import { loadX509 } from "./x509.ts";

export interface CertificateContent {
  subject: Name;
  publicKey: CryptoKey;
  issuer: Name;
  signingKey: CryptoKey;
  /** Hexadecimal, unique per certificate of the issuer. */
  serialNumber: string;
  /** Certificates hold whole seconds. */
  notBeforeMs: number;
  notAfterMs: number;
  extensions: Extension[];
}

/** The certificate as PEM. Throws when it would not end after its beginning and when the serial number is none. */
export async function signedCertificate(content: CertificateContent): Promise<string> {
  const x509 = await loadX509();
  const { serialNumber, notBeforeMs, notAfterMs, signingKey, ...others } = content;
  const [notBefore, notAfter] = [new Date(notBeforeMs), new Date(notAfterMs)];
  if (notAfterMs <= notBeforeMs) {
    throw new Error(
      `Cannot issue a certificate: it would end at ${notAfter.toISOString()}, must be after ${notBefore.toISOString()}`,
    );
  }
  const certificate = await x509.X509CertificateGenerator.create({
    ...others,
    serialNumber: parseSerialNumber(serialNumber),
    notBefore,
    notAfter,
    signingKey,
    signingAlgorithm: signingAlgorithmOf(signingKey),
  });
  return encodePem("CERTIFICATE", certificate.rawData);
}

/** What every certificate that vouches for itself is made of. */
export interface OwnContent {
  /** Of one of the `keyAlgorithms`; the private key extractable. */
  keys: CryptoKeyPair;
  /** Hexadecimal, unique per certificate. */
  serialNumber: string;
  notBeforeMs: number;
  notAfterMs: number;
}

/** The certificate and its private key (PKCS #8) as PEM. Throws as `signedCertificate` does, and without a common name. */
export async function certifiedByItself(
  { keys: { publicKey, privateKey }, serialNumber, notBeforeMs, notAfterMs }: OwnContent,
  commonName: string,
  extensions: Extension[],
): Promise<{ certificatePem: string; keyPem: string }> {
  const name = await subjectName(commonName);
  const content = { subject: name, publicKey, issuer: name, signingKey: privateKey, extensions };
  const certificatePem = await signedCertificate({ ...content, serialNumber, notBeforeMs, notAfterMs });
  return { certificatePem, keyPem: await exportPrivateKey(privateKey) };
}
