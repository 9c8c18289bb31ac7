// From what a user calls a server to the names in its certificate. No URI is ever among them: no client looks at one
// when it checks a host (RFC 9110 §4.3.4).
import { canonicalIpAddress } from "../pki/ip-address.ts";
import { isDnsName, type Names } from "../pki/names.ts";

export interface ServerNames extends Names {
  /** By which the API server calls it. */
  host: string;
  /** What a CertificateSigningRequest for it is called. */
  objectName: string;
}

const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const serviceName = new RegExp(`^(${label})\\.(${label})(?:\\.svc)?$`);

/**
 * The names of a server, or what is wrong with the text: one sentence that ends in what it must be.
 *
 *     https://HOST…                       HOST, a DNS name or an IP address
 *     SERVICE.NAMESPACE, …NAMESPACE.svc   the Service, by all its names
 *     an IP address                       that
 *     any other DNS name                  that
 */
export function serverNames(text: string): ServerNames | string {
  if (text.includes("://")) return namesOfUrl(text);
  const [, service, namespace] = serviceName.exec(text.toLowerCase()) ?? [];
  if (service !== undefined && namespace !== undefined) {
    const name = `${service}.${namespace}`;
    const host = `${name}.svc`;
    return { host, dnsNames: [host, name, `${host}.cluster.local`], ipAddresses: [], objectName: name };
  }
  return namesOfHost(text) ?? "it is no name, must be https://HOST, SERVICE.NAMESPACE, a DNS name or an IP address";
}

/** The names and what `--dns` and `--ip` add to them, or what is wrong with one of those. */
export function withMoreNames(names: ServerNames, dnsNames: readonly string[], ipAddresses: readonly string[]) {
  const notDns = dnsNames.find((name) => !isHostName(name));
  if (notDns !== undefined) return `"${notDns}" is no DNS name, must be one (addresses go into --ip)`;
  const notIp = ipAddresses.find((address) => canonicalIpAddress(address) === undefined);
  if (notIp !== undefined) return `"${notIp}" is no IP address, must be one (names go into --dns)`;
  const addresses = ipAddresses.map((address) => canonicalIpAddress(address) as string);
  return {
    ...names,
    dnsNames: [...new Set([...names.dnsNames, ...dnsNames.map((name) => name.toLowerCase())])],
    ipAddresses: [...new Set([...names.ipAddresses, ...addresses])],
  };
}

/** Every name as a host that a client may ask for, a wildcard as one of the names that it stands for. */
export function hostsOf({ dnsNames, ipAddresses }: Names): string[] {
  return [...dnsNames.map((name) => name.replace(/^\*/, "any")), ...ipAddresses];
}

function namesOfUrl(text: string): ServerNames | string {
  const url = URL.parse(text);
  if (url?.protocol !== "https:") return "it is no https URL, must be one: API servers call webhooks in no other way";
  if (url.username !== "" || url.password !== "") return "it has a user name or password, must be without";
  return (
    namesOfHost(url.hostname.replace(/^\[(.*)\]$/, "$1")) ?? "its host is no name, must be a DNS name or IP address"
  );
}

function namesOfHost(text: string): ServerNames | undefined {
  const address = canonicalIpAddress(text);
  if (address !== undefined) {
    return { host: address, dnsNames: [], ipAddresses: [address], objectName: address.replaceAll(":", "-") };
  }
  if (!isHostName(text)) return undefined;
  const name = text.toLowerCase();
  return { host: name, dnsNames: [name], ipAddresses: [], objectName: name.replace(/^\*/, "wildcard") };
}

/** No DNS name ends in a number: such a text was meant to be an IPv4 address. */
function isHostName(text: string): boolean {
  return isDnsName(text) && !/(^|\.)\d+$/.test(text);
}
