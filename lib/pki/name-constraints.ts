// Name constraints, RFC 5280 §4.2.1.10: what an authority may certify, enforced by whoever verifies.
// Only types of names that the extension mentions are constrained, so a type without permitted names is excluded whole.
import type { Extension } from "@peculiar/x509";
import { type Names, parseDnsName, parseIpAddress } from "./names.ts";
import { loadX509 } from "./x509.ts";

/** Permits these DNS names with everything below them, and these addresses; no other DNS name and no other address. */
export async function nameConstraints({ dnsNames, ipAddresses }: Names): Promise<Extension> {
  const x509 = await loadX509();
  const { AsnConvert } = await import("@peculiar/asn1-schema");
  const asn1 = await import("@peculiar/asn1-x509");
  const dns = (name: string) => new asn1.GeneralSubtree({ base: new asn1.GeneralName({ dNSName: name }) });
  const ip = (prefix: string) => new asn1.GeneralSubtree({ base: new asn1.GeneralName({ iPAddress: prefix }) });

  const permitted = [
    ...dnsNames.map((name) => dns(parseDnsName(name))),
    ...ipAddresses.map((address) => ip(hostPrefix(parseIpAddress(address)))),
  ];
  const excluded = [
    ...(dnsNames.length === 0 ? [dns("")] : []),
    ...(ipAddresses.length === 0 ? [ip("0.0.0.0/0"), ip("::/0")] : []),
  ];
  // A sequence that is present must not be empty.
  const constraints = new asn1.NameConstraints({
    ...(permitted.length > 0 && { permittedSubtrees: new asn1.GeneralSubtrees(permitted) }),
    ...(excluded.length > 0 && { excludedSubtrees: new asn1.GeneralSubtrees(excluded) }),
  });
  return new x509.Extension(asn1.id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

function hostPrefix(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}
