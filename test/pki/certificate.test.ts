import { expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describeCertificate } from "../../lib/pki/certificate.ts";
import { encodePem } from "../../lib/pki/pem.ts";
import { OpenSsl } from "./openssl.ts";
import { beginMs, endMs, sampleAuthority, sampleLeaf } from "./samples.ts";

const authority = await sampleAuthority({ commonName: "an authority", serialNumber: "0A" });
const leaf = await sampleLeaf(authority, { serialNumber: "ff01", ipAddresses: ["10.0.0.1", "2001:db8::1"] });

test("describeCertificate() says what a certificate says", () => {
  expect(describeCertificate(leaf)).toEqual({
    serialNumber: "ff01",
    commonName: "server",
    issuerCommonName: "an authority",
    dnsNames: ["a.example"],
    ipAddresses: ["10.0.0.1", "2001:db8::1"],
    notBeforeMs: beginMs,
    notAfterMs: endMs,
    fingerprint: createHash("sha256").update(new X509Certificate(leaf).raw).digest("hex"),
    isAuthority: false,
  });
  expect(describeCertificate(authority.certificatePem)).toMatchObject({
    serialNumber: "0a",
    commonName: "an authority",
    issuerCommonName: "an authority",
    dnsNames: [],
    ipAddresses: [],
    isAuthority: true,
  });
});

test("describeCertificate() describes the first certificate of a text", () => {
  const text = `${authority.keyPem}text\n${leaf}${authority.certificatePem}`;
  expect(describeCertificate(text).commonName).toBe("server");
});

test("describeCertificate() is not deceived by what stands in names", () => {
  using openssl = new OpenSsl();
  const config = openssl.write(
    "req.cnf",
    '[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectAltName=@names\n[names]\nDNS.0=a\\, DNS:evil.example\nDNS.1=b\\"c\nURI.0=x://DNS:u\n',
  );
  openssl.run(
    ...[
      "req",
      "-x509",
      "-config",
      config,
      "-extensions",
      "ext",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
    ],
    ...["-nodes", "-keyout", "key.pem", "-subj", "/CN=first\\/CN=inner/CN=x, CN=last", "-out", "cert.pem"],
  );
  const { commonName, dnsNames } = describeCertificate(openssl.run("x509", "-in", "cert.pem"));
  expect(commonName).toBe("x, CN=last");
  expect(dnsNames).toEqual(["a, DNS:evil.example", 'b"c']);
});

test.each([
  ["nothing", "", "there is none"],
  ["a key", authority.keyPem, "there is none"],
  ["a certificate that is cut off", leaf.slice(0, 300), "there is none"],
  ["another content", encodePem("CERTIFICATE", new Uint8Array([0x30, 0x00]).buffer), "its content is damaged"],
  ["no content", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "its content is damaged"],
])("describeCertificate() refuses %s", (_, text, problem) => {
  expect(() => describeCertificate(text)).toThrow(
    new Error(`Cannot read the certificate: ${problem}, must be X.509 in PEM`),
  );
});

test("describeCertificate() of a damaged certificate describes it or throws a clear error", () => {
  const der = new X509Certificate(leaf).raw;
  const place = fc.integer({ min: 0, max: der.length - 1 });
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const bytes = new Uint8Array(der.subarray(0, cut ? at : der.length));
      if (!cut) bytes[at] = (bytes[at] as number) ^ change;
      try {
        expect(describeCertificate(encodePem("CERTIFICATE", bytes.buffer)).serialNumber).toMatch(/^-?([0-9a-f]{2})+$/);
      } catch (error: unknown) {
        expect((error as Error).message).toStartWith("Cannot read the certificate: ");
      }
    }),
    { numRuns: 1000 },
  );
});
