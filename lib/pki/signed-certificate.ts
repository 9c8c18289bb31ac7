// The one place that signs certificates: whatever the library would draw or look up by itself is given to it here.
import type { Extension, Name } from "@peculiar/x509";
import { signingAlgorithmOf } from "./key-algorithm.ts";
import { encodePem } from "./pem.ts";
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
