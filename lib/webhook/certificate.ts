// The serving certificate with its key, and whether they will do.
import { X509Certificate } from "node:crypto";
import { splitBundle } from "../pki/bundle.ts";
import { isKeyOf } from "../pki/private-key.ts";

export interface ServingCertificate {
  /** The chain, the server's own certificate first. */
  certPem: string;
  keyPem: string;
}

/** When it ends, ms since the Unix epoch. Throws when certificate and key cannot be read or do not belong together. */
export function checkCertificate({ certPem, keyPem }: ServingCertificate): { notAfterMs: number } {
  const { validToDate } = readCertificate(certPem);
  if (!isKeyOf(keyPem, certPem)) {
    throw new Error("Cannot use the certificate: its private key is another one, must be its own, in PEM, unencrypted");
  }
  return { notAfterMs: validToDate.getTime() };
}

/** Throws unless the text holds certificates and nothing that only looks like one. */
export function checkAuthorities(pem: string): void {
  const certificates = splitBundle(pem);
  if (certificates.length === 0) {
    throw new Error("Cannot use the client authorities: there is no certificate, must be one or more in PEM");
  }
  for (const certificate of certificates) readCertificate(certificate);
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error("Cannot use the certificate: it cannot be read, must be X.509 in PEM");
  }
}
