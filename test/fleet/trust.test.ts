import { describe, expect, test } from "bun:test";
import type { WebhookConfiguration } from "../../lib/cert/resources.ts";
import { bundleDifferences, certificateFacts } from "../../lib/fleet/trust.ts";
import { beginMs, endMs, middleMs, newKeys, sampleAuthority, sampleLeaf } from "../pki/samples.ts";

const host = "loadtest.loadtest-system.svc";
const authority = await sampleAuthority({ permittedDnsNames: [host] });
const { certificatePem: ca } = authority;
const { certificatePem: other } = await sampleAuthority({ keys: await newKeys(), commonName: "other" });
const { certificatePem: ended } = await sampleAuthority({ commonName: "ended", notAfterMs: middleMs - 1 });
const leaf = await sampleLeaf(authority, { dnsNames: [host] });
const foreignLeaf = await sampleLeaf(authority, { dnsNames: ["elsewhere.example"], ipAddresses: ["10.0.0.1"] });

const service = { service: { name: "loadtest", namespace: "loadtest-system" } };

function registration(place: object, bundle: string): WebhookConfiguration {
  const caBundle = bundle === "" ? {} : { caBundle: btoa(bundle) };
  const apiVersion = "admissionregistration.k8s.io/v1";
  return {
    apiVersion,
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "kuar-validator" },
    webhooks: [
      { name: "validator.kuar.com", clientConfig: { ...place, ...caBundle } },
      { name: "extra.example.com", clientConfig: {} },
    ],
  };
}

function served(pem: string | undefined) {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } };
  return pem === undefined ? secret : { ...secret, data: { "tls.crt": btoa(pem) } };
}

const cases: [what: string, place: object, bundle: string, leaf: string | undefined, found: RegExp | undefined][] = [
  ["the authority of what is served", service, ca, leaf, undefined],
  ["it among others, as in a rotation", service, other + ca, leaf, undefined],
  ["another authority", service, other, leaf, /^"other" [0-9a-f]{16} until 2027-01-01: .* leads to no certificate/],
  ["one that has ended", service, ca + ended, leaf, /^"ended" .*, which has ended$/],
  ["none", service, "", leaf, /^no certificate: the bundle has no certificate/],
  ["something else than certificates", service, "hello", leaf, /^no certificate$/],
  ["damage", service, ca.replace(/\n[^-]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), leaf, /^a damaged certificate$/],
  [
    "the right one, of what is for another name",
    service,
    ca,
    foreignLeaf,
    /is for .*, must be for loadtest\.loadtest-system\.svc/,
  ],
  ["the right one, of what is for that address", { url: "https://10.0.0.1:8443/validate" }, ca, foreignLeaf, undefined],
  ["none, before anything is served", service, "", undefined, /^no certificate$/],
  ["some, where it cannot be seen what is served", service, other, undefined, undefined],
  ["none, by a URL: it may be the public's", { url: "https://x.example/validate" }, "", undefined, undefined],
];

describe("bundleDifferences()", () => {
  test.each(cases)("of a webhook that trusts %s", (_, place, bundle, pem, found) => {
    const differences = bundleDifferences(registration(place, bundle), served(pem), middleMs);
    const fields = differences.map(({ field }) => field);
    expect(fields).toEqual(found === undefined ? [] : ["webhooks[validator.kuar.com].clientConfig.caBundle"]);
    if (found !== undefined) expect(differences[0]?.found).toMatch(found);
  });

  test("when what is served has ended, says so", () => {
    const [difference] = bundleDifferences(registration(service, ca), served(leaf), endMs + 1);
    expect(difference?.found).toMatch(/which has ended/);
    expect(beginMs).toBeLessThan(middleMs);
  });
});

test("certificateFacts() says until when each is good, and passes over what cannot be read", () => {
  const facts = certificateFacts([registration(service, `${ca}hello`)], served(leaf));
  expect(facts.map(({ where, commonName, notAfter }) => [where, commonName, notAfter])).toEqual([
    ["caBundle of kuar-validator", "authority", "2027-01-01T00:00:00.000Z"],
    ["serving certificate", "server", "2027-01-01T00:00:00.000Z"],
  ]);
});
