// What every server's certificate says of its key, whoever signs it.
import type { Extension } from "@peculiar/x509";
import { isRsa } from "./key-algorithm.ts";
import { alternativeNames, type Names } from "./names.ts";
import { loadX509 } from "./x509.ts";

/** No authority, the key only for TLS servers, and these names. Throws without names and when one is not what it should be. */
export async function serverExtensions(publicKey: CryptoKey, names: Names): Promise<Extension[]> {
  const x509 = await loadX509();
  const nameExtensions = await alternativeNames(names);
  if (nameExtensions.length === 0) {
    throw new Error("Cannot issue a server's certificate: it has no names, must have a DNS name or an IP address");
  }
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(isRsa(publicKey) ? digitalSignature | keyEncipherment : digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ...nameExtensions,
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}
