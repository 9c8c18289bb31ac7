import { expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { selfSigned } from "../../lib/pki/self-signed.ts";

test("selfSigned() makes a certificate for exactly the names and time given, and its key", async () => {
  const { certificatePem, keyPem } = await selfSigned({
    keys: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    dnsNames: ["localhost", "target.example"],
    ipAddresses: ["127.0.0.1", "::1"],
    serialNumber: "0a0b",
    notBeforeMs: Date.UTC(2026, 0, 1),
    notAfterMs: Date.UTC(2027, 0, 1),
  });
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe("CN=localhost");
  expect(certificate.serialNumber).toBe("0A0B");
  expect(certificate.ca).toBe(false);
  for (const name of ["localhost", "target.example"]) expect(certificate.checkHost(name)).toBe(name);
  expect(certificate.checkHost("other.example")).toBeUndefined();
  for (const address of ["127.0.0.1", "::1"]) expect(certificate.checkIP(address)).toBe(address);
  expect(new Date(certificate.validFrom)).toEqual(new Date(Date.UTC(2026, 0, 1)));
  expect(new Date(certificate.validTo)).toEqual(new Date(Date.UTC(2027, 0, 1)));
});
