import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { exportPrivateKey, isKeyOf } from "../../lib/pki/private-key.ts";
import { OpenSsl } from "./openssl.ts";
import { beginMs, endMs, middleMs, newKeys, sampleAuthority, sampleLeaf, serverKeys } from "./samples.ts";

test("createAuthority() makes an authority for servers only, and marks critical what must not be overlooked", async () => {
  using openssl = new OpenSsl();
  const { certificatePem, keyPem } = await sampleAuthority({ permittedIpAddresses: ["10.0.0.1", "2001:db8::1"] });
  expect(isKeyOf(keyPem, certificatePem)).toBe(true);
  const text = openssl.run("x509", "-in", openssl.write("ca.pem", certificatePem), "-noout", "-text");
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  expect(text).toMatch(
    /Name Constraints: critical\s+Permitted:\s+DNS:example\s+IP:10\.0\.0\.1\/255\.255\.255\.255\s+IP:2001:DB8:0:0:0:0:0:1\/FFFF(:FFFF){7}\n/,
  );
  const identifiers = text.match(/(?<=Key Identifier: \n\s+)[0-9A-F:]+/g) ?? [];
  expect(identifiers).toHaveLength(2);
  expect(identifiers[0]).toBe(identifiers[1] as string);
});

/** A TLS client has the clock of today. */
const currentHour = { notBeforeMs: Date.now() - 3600e3, notAfterMs: Date.now() + 3600e3 };

const everyName = { dnsNames: ["example", "a.b.example"], ipAddresses: ["10.0.0.1"] };
const nothing = { dnsNames: [], ipAddresses: [] };
const accepted = /: OK\n/;
const permittedSubtree = /permitted subtree violation/;
const excludedSubtree = /excluded subtree violation/;

/** What is permitted, what is certified, and what the verifier finds wrong with it. */
const constrained: [string, Record<keyof typeof nothing, string[]>, Record<keyof typeof nothing, string[]>, RegExp][] =
  [
    ["the permitted names and those below", everyName, everyName, accepted],
    ["a permitted name in other letters", everyName, { ...nothing, dnsNames: ["A.EXAMPLE"] }, accepted],
    ["another name", everyName, { ...nothing, dnsNames: ["other"] }, permittedSubtree],
    ["another name that ends alike", everyName, { ...nothing, dnsNames: ["counterexample"] }, permittedSubtree],
    ["one name more than permitted", everyName, { ...nothing, dnsNames: ["a.example", "other"] }, permittedSubtree],
    ["another address", everyName, { ...nothing, ipAddresses: ["10.0.0.2"] }, permittedSubtree],
    ["an address of the other family", everyName, { ...nothing, ipAddresses: ["::1"] }, permittedSubtree],
    [
      "the permitted IPv6 address",
      { ...nothing, ipAddresses: ["2001:db8::1"] },
      { ...nothing, ipAddresses: ["2001:db8::1"] },
      accepted,
    ],
    [
      "another IPv6 address",
      { ...nothing, ipAddresses: ["2001:db8::1"] },
      { ...nothing, ipAddresses: ["2001:db8::2"] },
      permittedSubtree,
    ],
    ["an IPv4 address where only names are permitted", { ...everyName, ipAddresses: [] }, everyName, excludedSubtree],
    [
      "an IPv6 address where only names are permitted",
      { ...everyName, ipAddresses: [] },
      { ...nothing, ipAddresses: ["::1"] },
      excludedSubtree,
    ],
    ["a name where only addresses are permitted", { ...everyName, dnsNames: [] }, everyName, excludedSubtree],
    ["a name where nothing is permitted", nothing, { ...nothing, dnsNames: ["example"] }, excludedSubtree],
    ["an address where nothing is permitted", nothing, { ...nothing, ipAddresses: ["10.0.0.1"] }, excludedSubtree],
  ];

test.each(constrained)("an authority's constraints and %s", async (_, permitted, names, verdict) => {
  using openssl = new OpenSsl();
  const authority = await sampleAuthority({
    permittedDnsNames: permitted.dnsNames,
    permittedIpAddresses: permitted.ipAddresses,
  });
  const leaf = await sampleLeaf(authority, names);
  const { exitCode, text } = openssl.verify({ ca: authority.certificatePem, leaf, atMs: middleMs });
  expect(text).toMatch(verdict);
  expect(exitCode === 0).toBe(verdict === accepted);
});

test("an authority's certificate is in date from its first second to its last, past 2050 too", async () => {
  const farMs = Date.UTC(2060, 1, 29, 12, 34, 56);
  const { certificatePem } = await sampleAuthority({ notBeforeMs: beginMs, notAfterMs: farMs });
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.validFromDate.getTime()).toBe(beginMs);
  expect(certificate.validToDate.getTime()).toBe(farMs);
});

test("an RSA authority certifies as well as a P-256 one", async () => {
  using openssl = new OpenSsl();
  const authority = await sampleAuthority({ keys: await newKeys("RSA-2048") });
  const leaf = await sampleLeaf(authority, { notAfterMs: endMs });
  expect(openssl.verify({ ca: authority.certificatePem, leaf, atMs: middleMs }).text).toContain("OK");
});

test.each([
  [{ permittedDnsNames: ["a b"] }, 'Cannot certify the name "a b": must be a DNS name'],
  [{ permittedDnsNames: [""] }, 'Cannot certify the name "": must be a DNS name'],
  [{ permittedIpAddresses: ["10.0.0.0/8"] }, 'Cannot certify the address "10.0.0.0/8": must be an IP address'],
  [{ serialNumber: "00" }, 'Cannot number a certificate "00": must be hexadecimal, positive and of at most 159 bits'],
])("createAuthority() refuses %j", async (options, message) => {
  await expect(sampleAuthority(options)).rejects.toThrow(new Error(message));
});

test.each([
  ["accepts a server that the authority may certify", ["localhost"], "served"],
  ["refuses one that it may not", ["example"], "failed"],
])("Bun's TLS client %s", async (_, permittedDnsNames, expected) => {
  const authority = await sampleAuthority({ permittedDnsNames, ...currentHour });
  const cert = await sampleLeaf(authority, { dnsNames: ["localhost"], ...currentHour });
  using server = Bun.serve({
    port: 0,
    tls: { cert, key: await exportPrivateKey(serverKeys.privateKey) },
    fetch: () => new Response("served"),
  });
  const options = { tls: { ca: authority.certificatePem } };
  const outcome = await fetch(`https://localhost:${server.port}`, options).then(
    (response) => response.text(),
    () => "failed",
  );
  expect(outcome).toBe(expected);
});
