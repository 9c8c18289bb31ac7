import { expect, test } from "bun:test";
import { hostsOf, type ServerNames, serverNames, withMoreNames } from "../../lib/cert/server-names.ts";

const service = {
  host: "hooks.prod.svc",
  dnsNames: ["hooks.prod.svc", "hooks.prod", "hooks.prod.svc.cluster.local"],
  ipAddresses: [],
  objectName: "hooks.prod",
};
const dns = (name: string, objectName = name) => ({ host: name, dnsNames: [name], ipAddresses: [], objectName });
const ip = (address: string, objectName = address) => ({
  host: address,
  dnsNames: [],
  ipAddresses: [address],
  objectName,
});

test.each<[text: string, names: ServerNames]>([
  ["hooks.prod", service],
  ["hooks.prod.svc", service],
  ["Hooks.Prod", service],
  ["https://hooks.prod", dns("hooks.prod")],
  ["https://hooks.prod.svc:8443/validate", dns("hooks.prod.svc")],
  ["https://example.com", dns("example.com")],
  ["https://hooks.example.com/x?y=z#w", dns("hooks.example.com")],
  ["https://HOOKS.example.com", dns("hooks.example.com")],
  ["https://bücher.example", dns("xn--bcher-kva.example")],
  ["https://192.0.2.7:8443", ip("192.0.2.7")],
  ["https://[2001:db8:0::7]:8443", ip("2001:db8::7", "2001-db8--7")],
  ["hooks.example.com", dns("hooks.example.com")],
  ["Hooks.Example.com", dns("hooks.example.com")],
  ["localhost", dns("localhost")],
  ["hooks.prod.svc.cluster.local", dns("hooks.prod.svc.cluster.local")],
  ["*.hooks.example.com", dns("*.hooks.example.com", "wildcard.hooks.example.com")],
  ["192.0.2.7", ip("192.0.2.7")],
  ["::1", ip("::1", "--1")],
])("%s has the right names", (text, names) => {
  expect(serverNames(text)).toEqual(names);
});

test.each<[text: string, words: string]>([
  ["", "must be https://HOST, SERVICE.NAMESPACE, a DNS name or an IP address"],
  ["a b", "it is no name"],
  ["Hooks.Prod.svc.", "it is no name"],
  ["hooks.example.com:443", "it is no name"],
  ["192.0.2.300", "it is no name"],
  ["192.0.2.7/24", "it is no name"],
  ["a..b", "it is no name"],
  ["http://hooks.example.com", "it is no https URL"],
  ["spiffe://hooks.example.com/x", "it is no https URL"],
  ["https://", "it is no https URL"],
  ["https://user:secret@hooks.example.com", "must be without"],
  ["https://hooks.example.com.", "its host is no name"],
])("%p is refused with what it must be", (text, words) => {
  expect(serverNames(text)).toContain(words);
  expect(serverNames(text)).not.toContain("secret");
});

test("further names are added once, in the form of certificates", () => {
  const all = withMoreNames(service, ["HOOKS.example.com", "hooks.prod"], ["2001:DB8::0:7", "2001:db8::7"]);
  expect(all).toEqual({
    ...service,
    dnsNames: [...service.dnsNames, "hooks.example.com"],
    ipAddresses: ["2001:db8::7"],
  });
});

test.each<[dnsNames: string[], ipAddresses: string[], words: string]>([
  [["192.0.2.7"], [], "addresses go into --ip"],
  [["https://x.example"], [], "is no DNS name"],
  [[], ["x.example"], "names go into --dns"],
  [[], ["192.0.2.0/24"], "is no IP address"],
])("a further name that is none is refused: %j %j", (dnsNames, ipAddresses, words) => {
  expect(withMoreNames(service, dnsNames, ipAddresses)).toContain(words);
});

test("hostsOf() asks for a host that a wildcard covers", () => {
  expect(hostsOf({ dnsNames: ["*.x.example"], ipAddresses: ["::1"] })).toEqual(["any.x.example", "::1"]);
});
