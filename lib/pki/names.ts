// Names as certificates and requests carry them: the subject, and the alternative names, which are the ones that count.
import type { Extension, Name } from "@peculiar/x509";
import { canonicalIpAddress } from "./ip-address.ts";
import { loadX509 } from "./x509.ts";

export interface Names {
  /** ASCII, a wildcard only as the whole first label. */
  dnsNames: readonly string[];
  /** Without prefix length or zone. */
  ipAddresses: readonly string[];
}

const dnsName =
  /^(?=.{1,253}$)(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

export function isDnsName(text: string): boolean {
  return dnsName.test(text);
}

/** A DNS name as it goes into a certificate. Throws when it is none. */
export function parseDnsName(text: string): string {
  if (isDnsName(text)) return text;
  throw new Error(`Cannot certify the name "${text}": must be a DNS name`);
}

/** An IP address in the form that the library encodes rightly, IPv4-mapped ones included. Throws when it is none. */
export function parseIpAddress(text: string): string {
  const address = canonicalIpAddress(text);
  if (address !== undefined) return address;
  throw new Error(`Cannot certify the address "${text}": must be an IP address`);
}

/** The extension subjectAltName, or nothing when there are no names. Throws when one is not what it should be. */
export async function alternativeNames({ dnsNames, ipAddresses }: Names): Promise<Extension[]> {
  const x509 = await loadX509();
  if (dnsNames.length + ipAddresses.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension([
      ...dnsNames.map((name) => ({ type: "dns" as const, value: parseDnsName(name) })),
      ...ipAddresses.map((address) => ({ type: "ip" as const, value: parseIpAddress(address) })),
    ]),
  ];
}

/**
 * Organizations, then the common name, whatever characters they have: the library would read signs into plain strings.
 * Throws without a common name: a certificate whose subject is empty would need other extensions.
 */
export async function subjectName(commonName: string, organizations: readonly string[] = []): Promise<Name> {
  if (commonName === "") throw new Error('Cannot certify the common name "": must not be empty');
  const x509 = await loadX509();
  return new x509.Name([
    ...organizations.map((organization) => ({ O: [{ utf8String: organization }] })),
    { CN: [{ utf8String: commonName }] },
  ]);
}
