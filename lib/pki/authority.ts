// A certificate authority of our own: it certifies servers, no further authorities, and only the names it was made for.
import { nameConstraints } from "./name-constraints.ts";
import { certifiedByItself, type OwnContent } from "./signed-certificate.ts";
import { loadX509 } from "./x509.ts";

export interface Authority {
  certificatePem: string;
  /** Unencrypted, P-256 or RSA. */
  keyPem: string;
}

export interface AuthorityOptions extends OwnContent {
  commonName: string;
  /** DNS names that it may certify, with everything below them; with none, it may certify no DNS name. */
  permittedDnsNames: readonly string[];
  /** IP addresses that it may certify; with none, it may certify no address. */
  permittedIpAddresses: readonly string[];
}

/** A new authority, certified by itself. Throws when a name, an address, the serial number or the time is none. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const x509 = await loadX509();
  const { keys, commonName, permittedDnsNames, permittedIpAddresses } = options;
  return certifiedByItself(options, commonName, [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await nameConstraints({ dnsNames: permittedDnsNames, ipAddresses: permittedIpAddresses }),
    await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
  ]);
}
