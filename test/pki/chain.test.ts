import { expect, test } from "bun:test";
import fc from "fast-check";
import { joinBundle } from "../../lib/pki/bundle.ts";
import { describeCertificate } from "../../lib/pki/certificate.ts";
import { chainProblem } from "../../lib/pki/chain.ts";
import { selfSigned } from "../../lib/pki/self-signed.ts";
import { OpenSsl } from "./openssl.ts";
import { beginMs, endMs, middleMs, newKeys, sampleAuthority, sampleLeaf, serverKeys } from "./samples.ts";

const names = { dnsNames: ["a.example", "*.b.example"], ipAddresses: ["10.0.0.1", "2001:db8::1"] };
const authority = await sampleAuthority();
const { certificatePem: ca } = authority;
const leaf = await sampleLeaf(authority, names);
/** Of the same name, with another key. */
const impostor = await sampleAuthority({ keys: await newKeys() });
const stranger = await sampleAuthority({ commonName: "stranger", keys: await newKeys("RSA-2048") });
const own = await selfSigned({
  keys: serverKeys,
  ...names,
  serialNumber: "1",
  notBeforeMs: beginMs,
  notAfterMs: endMs,
});

/** By OpenSSL, for a century: root → intermediate → server, client; and server → below, though a server is no authority. */
function foreignChain() {
  using openssl = new OpenSsl();
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const make = (name: string, issuer: string | undefined, extensions: string[]) => {
    const signed = issuer === undefined ? [] : ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`];
    const added = ["subjectAltName=DNS:a.example", ...extensions].flatMap((extension) => ["-addext", extension]);
    const files = [
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
      "-config",
      openssl.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n"),
    ];
    openssl.run("req", "-x509", ...key, ...files, "-days", "36500", "-subj", `/CN=${name}`, ...signed, ...added);
    return openssl.run("x509", "-in", `${name}.pem`);
  };
  const authorityOnly = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
  return {
    root: make("root", undefined, authorityOnly),
    intermediate: make("intermediate", "root", authorityOnly),
    server: make("server", "intermediate", ["basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth"]),
    any: make("any", "intermediate", ["basicConstraints=CA:FALSE", "extendedKeyUsage=anyExtendedKeyUsage"]),
    plain: make("plain", "intermediate", ["basicConstraints=CA:FALSE"]),
    client: make("client", "intermediate", ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"]),
    below: make("below", "plain", ["basicConstraints=CA:FALSE"]),
  };
}
const foreign = foreignChain();
const { notBeforeMs: foreignNowMs } = describeCertificate(foreign.below);

test.each([
  ["its authority", leaf, ca],
  ["its authority among others", leaf, impostor.certificatePem + stranger.certificatePem + ca],
  ["its authority that stands in the chain too", leaf + ca, ca],
  ["the certificate itself", leaf, leaf],
  ["a certificate that vouches for itself", own.certificatePem, own.certificatePem],
])("chainProblem() finds none with a bundle of %s", (_, chainPem, bundlePem) => {
  for (const host of ["a.example", "x.b.example", "10.0.0.1", "2001:db8:0::1"]) {
    for (const nowMs of [beginMs, middleMs, endMs]) {
      expect(chainProblem({ chainPem, bundlePem, host, nowMs })).toBeUndefined();
    }
  }
});

test.each([
  ["a server by an intermediate authority", foreign.server + foreign.intermediate, foreign.root],
  ["the certificates in any order", foreign.server + leaf + foreign.root + foreign.intermediate, foreign.root],
  ["an intermediate authority as anchor", foreign.server, foreign.intermediate],
  ["a server for any use", foreign.any + foreign.intermediate, foreign.root],
  ["a server without a stated use", foreign.plain, foreign.root + foreign.intermediate],
])("chainProblem() finds none with %s", (_, chainPem, bundlePem) => {
  expect(chainProblem({ chainPem, bundlePem, host: "a.example", nowMs: foreignNowMs })).toBeUndefined();
});

const damaged = leaf.replace("\n", "\nAAAA");
const base = { chainPem: leaf, bundlePem: ca, host: "a.example", nowMs: middleMs };
const foreignBase = { ...base, nowMs: foreignNowMs, bundlePem: foreign.root };
const server = 'certificate "CN=server"';

test.each([
  ["no chain", { ...base, chainPem: "" }, "the chain has no certificate, must have at least one"],
  ["a key as chain", { ...base, chainPem: authority.keyPem }, "the chain has no certificate, must have at least one"],
  ["no bundle", { ...base, bundlePem: "junk" }, "the bundle has no certificate, must have at least one"],
  [
    "a damaged chain",
    { ...base, chainPem: leaf + damaged },
    "certificate 2 of the chain cannot be read, must be X.509 in PEM",
  ],
  [
    "a damaged bundle",
    { ...base, bundlePem: damaged },
    "certificate 1 of the bundle cannot be read, must be X.509 in PEM",
  ],
  [
    "another host",
    { ...base, host: "b.example" },
    `${server} is for DNS:a.example, DNS:*.b.example, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, must be for b.example`,
  ],
  ["the time before", { ...base, nowMs: beginMs - 1 }, `${server} begins at 2026-01-01T00:00:00.000Z, must have begun`],
  ["the time after", { ...base, nowMs: endMs + 1 }, `${server} ended at 2027-01-01T00:00:00.000Z, must be in date`],
  [
    "an authority of the same name",
    { ...base, bundlePem: impostor.certificatePem },
    `${server} leads to no certificate of the bundle, must be signed by one`,
  ],
  [
    "another authority",
    { ...base, bundlePem: stranger.certificatePem },
    `${server} leads to no certificate of the bundle, must be signed by one`,
  ],
  [
    "an authority only in the chain",
    { ...base, chainPem: leaf + ca, bundlePem: stranger.certificatePem },
    `${server} leads to no certificate of the bundle, must be signed by one`,
  ],
  [
    "a missing intermediate authority",
    { ...foreignBase, chainPem: foreign.server },
    `${server} leads to no certificate of the bundle, must be signed by one`,
  ],
  [
    "a client's certificate",
    { ...foreignBase, chainPem: foreign.client + foreign.intermediate },
    'certificate "CN=client" is not for servers, must have the extended key usage serverAuth',
  ],
  [
    "a server that signs",
    { ...foreignBase, chainPem: foreign.below + foreign.plain + foreign.intermediate },
    'certificate "CN=plain" signs another, must be an authority',
  ],
])("chainProblem() says what is wrong with %s", (_, question, problem) => {
  expect(chainProblem(question)).toBe(problem);
});

test("chainProblem() says that an authority is out of date before its server", async () => {
  const late = await sampleAuthority({ notBeforeMs: middleMs });
  const bundlePem = late.certificatePem;
  const problem = 'certificate "CN=authority" begins at 2026-07-01T00:00:00.000Z, must have begun';
  expect(chainProblem({ ...base, bundlePem, nowMs: middleMs - 1 })).toBe(problem);
  expect(chainProblem({ ...base, bundlePem })).toBeUndefined();
  expect(chainProblem({ ...base, bundlePem: joinBundle([bundlePem, ca]), nowMs: middleMs - 1 })).toBeUndefined();
});

test("chainProblem() never throws", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom(leaf, ca, damaged, leaf.slice(0, 200), authority.keyPem));
  const texts = fc.array(text, { maxLength: 4 }).map((parts) => parts.join("\n"));
  const host = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("a.example", "\0", "a\0.example", "::1%1", "*", "."),
  );
  fc.assert(
    fc.property(texts, texts, host, fc.integer(), (chainPem, bundlePem, host, nowMs) => {
      expect(chainProblem({ chainPem, bundlePem, host, nowMs })).toBeString();
    }),
    { numRuns: 500 },
  );
  for (const host of ["", "\0", "a.example\0", "é", "x".repeat(1e5)])
    expect(chainProblem({ ...base, host })).toBeString();
});

test("chainProblem() answers as openssl verify does", async () => {
  using openssl = new OpenSsl();
  const instants = [beginMs - 1000, beginMs, middleMs, endMs - 1000, endMs + 1000];
  for (const [bundlePem, atMs] of [ca, impostor.certificatePem].flatMap((pem) =>
    instants.map((at) => [pem, at] as const),
  )) {
    for (const host of ["a.example", "x.b.example", "c.example"]) {
      const { exitCode } = openssl.verify(
        { ca: bundlePem, leaf: await sampleLeaf(authority, { dnsNames: names.dnsNames }), atMs },
        "-verify_hostname",
        host,
      );
      const problem = chainProblem({ chainPem: leaf, bundlePem, host, nowMs: atMs });
      expect([host, atMs, problem === undefined]).toEqual([host, atMs, exitCode === 0]);
    }
  }
});
