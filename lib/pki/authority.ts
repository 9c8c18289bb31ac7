// A certificate authority of our own: it certifies servers, no further authorities, and only the names it was made for.
import { nameConstraints } from "./name-constraints.ts";
import { subjectName } from "./names.ts";
import { exportPrivateKey } from "./private-key.ts";
import { signedCertificate } from "./signed-certificate.ts";
import { loadX509 } from "./x509.ts";

export interface Authority {
  certificatePem: string;
  /** Unencrypted, P-256 or RSA. */
  keyPem: string;
}

export interface AuthorityOptions {
  /** Of one of the `keyAlgorithms`; the private key extractable. */
  keys: CryptoKeyPair;
  commonName: string;
  /** DNS names that it may certify, with everything below them; with none, it may certify no DNS name. */
  permittedDnsNames: readonly string[];
  /** IP addresses that it may certify; with none, it may certify no address. */
  permittedIpAddresses: readonly string[];
  /** Hexadecimal, unique per certificate. */
  serialNumber: string;
  notBeforeMs: number;
  notAfterMs: number;
}

/** A new authority, certified by itself. Throws when a name, an address, the serial number or the time is none. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const x509 = await loadX509();
  const { keys, serialNumber, notBeforeMs, notAfterMs } = options;
  const name = await subjectName(options.commonName);
  const certificatePem = await signedCertificate({
    subject: name,
    publicKey: keys.publicKey,
    issuer: name,
    signingKey: keys.privateKey,
    serialNumber,
    notBeforeMs,
    notAfterMs,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await nameConstraints({ dnsNames: options.permittedDnsNames, ipAddresses: options.permittedIpAddresses }),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem, keyPem: await exportPrivateKey(keys.privateKey) };
}
