import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describeCertificate } from "../../lib/pki/certificate.ts";
import { canonicalIpAddress } from "../../lib/pki/ip-address.ts";
import { exportPrivateKey } from "../../lib/pki/private-key.ts";
import { createSigningRequest, readSigningRequest } from "../../lib/pki/signing-request.ts";
import { OpenSsl } from "./openssl.ts";
import {
  beginMs,
  dnsName,
  endMs,
  ipAddress,
  middleMs,
  newKeys,
  sampleAuthority,
  sampleLeaf,
  serverKeys,
} from "./samples.ts";

const authority = await sampleAuthority();
const { certificatePem: ca } = authority;

test.each([
  ["P-256", "Digital Signature"],
  ["RSA-2048", "Digital Signature, Key Encipherment"],
] as const)("issueCertificate() makes a server's certificate for a %s key", async (algorithm, keyUsage) => {
  using openssl = new OpenSsl();
  const { publicKey } = await newKeys(algorithm);
  const leaf = await sampleLeaf(authority, {
    publicKey,
    dnsNames: ["a.example", "*.b.example"],
    ipAddresses: ["10.0.0.1"],
  });
  const text = openssl.run("x509", "-in", openssl.write("leaf.pem", leaf), "-noout", "-text");
  expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE\n/);
  expect(text).toMatch(new RegExp(`Key Usage: critical\\s+${keyUsage}\\n`));
  expect(text).toMatch(/Extended Key Usage: \n\s+TLS Web Server Authentication\n/);
  expect(text).toMatch(/Alternative Name: \n\s+DNS:a\.example, DNS:\*\.b\.example, IP Address:10\.0\.0\.1\n/);
  expect(text).toMatch(/Subject Key Identifier/);

  for (const name of ["a.example", "x.b.example"]) {
    expect(openssl.verify({ ca, leaf, atMs: middleMs }, "-verify_hostname", name).text).toContain("OK");
  }
  expect(openssl.verify({ ca, leaf, atMs: middleMs }, "-verify_ip", "10.0.0.1").text).toContain("OK");
  expect(openssl.verify({ ca, leaf, atMs: middleMs }, "-verify_hostname", "c.example").text).toContain(
    "hostname mismatch",
  );
  expect(openssl.verify({ ca, leaf, atMs: middleMs }, "-verify_ip", "10.0.0.2").text).toContain("IP address mismatch");
  expect(openssl.verify({ ca, leaf, atMs: beginMs - 1000 }).text).toContain("not yet valid");
  expect(openssl.verify({ ca, leaf, atMs: endMs + 1000 }).text).toContain("expired");
});

test("names come through request and certificate unchanged", async () => {
  const dnsNames = fc.array(dnsName, { minLength: 1, maxLength: 6 });
  const ipAddresses = fc.array(ipAddress, { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(dnsNames, ipAddresses, async (dnsNames, ipAddresses) => {
      const pem = await createSigningRequest({ keys: serverKeys, commonName: "server", dnsNames, ipAddresses });
      const request = await readSigningRequest(pem);
      const names = { dnsNames, ipAddresses: ipAddresses.map((address) => canonicalIpAddress(address) as string) };
      expect(request).toMatchObject({ ...names, isSelfSigned: true, emailAddresses: [], uris: [] });

      const leaf = await sampleLeaf(authority, request);
      expect(describeCertificate(leaf)).toMatchObject({
        ...names,
        commonName: "server",
        issuerCommonName: "authority",
      });
      const certificate = new X509Certificate(leaf);
      for (const name of dnsNames) expect(certificate.checkHost(name)).toBe(name);
      for (const address of ipAddresses) expect(certificate.checkIP(address)).toBe(address);
    }),
  );
});

test("every ECDSA signature is DER that another library verifies", async () => {
  const authorityKey = new X509Certificate(ca).publicKey;
  for (let i = 1; i <= 200; i++) {
    const certificate = new X509Certificate(await sampleLeaf(authority, { serialNumber: i.toString(16) }));
    expect(certificate.verify(authorityKey)).toBe(true);
  }
});

test("a certificate ends with its authority's, if not before", async () => {
  const later = describeCertificate(await sampleLeaf(authority, { notAfterMs: endMs + 1e9 }));
  expect(later.notAfterMs).toBe(endMs);
  const earlier = describeCertificate(await sampleLeaf(authority, { notAfterMs: endMs - 1e9 }));
  expect(earlier.notAfterMs).toBe(endMs - 1e9);
});

test("a certificate names an authority that OpenSSL made as that names itself", async () => {
  using openssl = new OpenSsl();
  const config = openssl.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
  openssl.run(
    ...[
      "req",
      "-x509",
      "-config",
      config,
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "key.pem",
      "-out",
      "foreign.pem",
      "-days",
      "2",
    ],
    ...[
      "-utf8",
      "-subj",
      '/DC=example/O=Größe, "x"/CN=#1',
      "-addext",
      "subjectKeyIdentifier=0102030405",
      "-addext",
      "basicConstraints=critical,CA:TRUE",
    ],
    ...["-addext", "keyUsage=critical,keyCertSign"],
  );
  const foreign = {
    certificatePem: openssl.run("x509", "-in", "foreign.pem"),
    keyPem: openssl.run("rsa", "-in", "key.pem", "-traditional").replace("writing RSA key\n", ""),
  };
  const { notBeforeMs, notAfterMs } = describeCertificate(foreign.certificatePem);
  const leaf = await sampleLeaf(foreign, { notBeforeMs, notAfterMs });
  const verdict = openssl.verify({ ca: foreign.certificatePem, leaf, atMs: notBeforeMs + 1000 });
  expect(verdict.text).toContain("OK");
  expect(new X509Certificate(leaf).checkIssued(new X509Certificate(foreign.certificatePem))).toBe(true);
  expect(openssl.run("x509", "-in", "leaf.pem", "-noout", "-ext", "authorityKeyIdentifier")).toContain(
    "01:02:03:04:05",
  );
});

test.each([
  [{ commonName: "" }, 'Cannot certify the common name "": must not be empty'],
  [{ dnsNames: [] }, "Cannot issue a server's certificate: it has no names, must have a DNS name or an IP address"],
  [{ dnsNames: ["a..b"] }, 'Cannot certify the name "a..b": must be a DNS name'],
  [{ dnsNames: ["a.*.b"] }, 'Cannot certify the name "a.*.b": must be a DNS name'],
  [{ dnsNames: ["größe.example"] }, 'Cannot certify the name "größe.example": must be a DNS name'],
  [{ ipAddresses: ["::1%eth0"] }, 'Cannot certify the address "::1%eth0": must be an IP address'],
  [{ serialNumber: "x" }, 'Cannot number a certificate "x": must be hexadecimal, positive and of at most 159 bits'],
  [
    { notBeforeMs: endMs },
    "Cannot issue a certificate: it would end at 2027-01-01T00:00:00.000Z, must be after 2027-01-01T00:00:00.000Z",
  ],
])("issueCertificate() refuses %j", async (options, message) => {
  await expect(sampleLeaf(authority, options)).rejects.toThrow(new Error(message));
});

test("issueCertificate() refuses an authority with a key that is not its own, or damaged", async () => {
  const message = "Cannot issue a certificate: the authority's key is not its certificate's, must be";
  const keyPem = await exportPrivateKey(serverKeys.privateKey);
  await expect(sampleLeaf({ ...authority, keyPem })).rejects.toThrow(new Error(message));
  await expect(sampleLeaf({ ...authority, certificatePem: ca.slice(0, 200) })).rejects.toThrow(new Error(message));
});
