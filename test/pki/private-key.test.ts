import { expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type KeyAlgorithmName, keyAlgorithms } from "../../lib/pki/key-algorithm.ts";
import { exportPrivateKey, importSigningKey, isKeyOf } from "../../lib/pki/private-key.ts";
import { newKeys, sampleAuthority, serverKeys } from "./samples.ts";

const { certificatePem, keyPem } = await sampleAuthority();
const expected: Record<KeyAlgorithmName, object> = {
  "P-256": { namedCurve: "prime256v1" },
  "RSA-2048": { modulusLength: 2048, publicExponent: 65537n },
  "RSA-4096": { modulusLength: 4096, publicExponent: 65537n },
};

test.each(Object.keys(keyAlgorithms) as KeyAlgorithmName[])(
  "exportPrivateKey() writes a %s key as PKCS #8",
  async (name) => {
    const { privateKey } = await newKeys(name);
    const pem = await exportPrivateKey(privateKey);
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+\n-----END PRIVATE KEY-----\n$/);
    expect(createPrivateKey(pem).asymmetricKeyDetails).toMatchObject(expected[name]);
    expect((await importSigningKey(pem)).algorithm).toEqual(privateKey.algorithm);
  },
);

const pemOf = (key: KeyObject, type: "pkcs8" | "sec1" | "pkcs1") => key.export({ format: "pem", type }).toString();
const curve = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const { privateKey: rsaKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

test.each([
  ["SEC 1", pemOf(curve("P-256"), "sec1"), "ECDSA"],
  ["PKCS #1", pemOf(rsaKey, "pkcs1"), "RSASSA-PKCS1-v1_5"],
])("importSigningKey() reads %s too", async (_, pem, algorithm) => {
  expect((await importSigningKey(pem)).algorithm.name).toBe(algorithm);
});

test.each([
  ["nothing", "", "Cannot read the private key: it is no unencrypted key in PEM, must be"],
  ["a certificate", certificatePem, "Cannot read the private key: it is no unencrypted key in PEM, must be"],
  ["half a key", keyPem.slice(0, 100), "Cannot read the private key: it is no unencrypted key in PEM, must be"],
  [
    "a P-384 key",
    pemOf(curve("P-384"), "pkcs8"),
    "Cannot sign with the private key: it is secp384r1, must be P-256 or RSA",
  ],
  [
    "an Ed25519 key",
    pemOf(generateKeyPairSync("ed25519").privateKey, "pkcs8"),
    "Cannot sign with the private key: it is ed25519, must be P-256 or RSA",
  ],
  [
    "an encrypted key",
    rsaKey.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
    "Cannot read the private key: it is no unencrypted key in PEM, must be",
  ],
])("importSigningKey() refuses %s", async (_, pem, message) => {
  await expect(importSigningKey(pem)).rejects.toThrow(new Error(message));
});

test("isKeyOf() tells the key of a certificate from others, and from what is none", async () => {
  expect(isKeyOf(keyPem, certificatePem)).toBe(true);
  expect(isKeyOf(await exportPrivateKey(serverKeys.privateKey), certificatePem)).toBe(false);
  expect(isKeyOf(pemOf(rsaKey, "pkcs8"), certificatePem)).toBe(false);
  for (const junk of ["", "junk", keyPem.slice(0, 100), certificatePem])
    expect(isKeyOf(junk, certificatePem)).toBe(false);
  for (const junk of ["", "junk", certificatePem.slice(0, 100), keyPem]) expect(isKeyOf(keyPem, junk)).toBe(false);
});
