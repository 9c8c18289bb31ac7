// Kinds of keys by name, in the terms of WebCrypto, whose generation of keys is chance and so the caller's.
import type { webcrypto } from "node:crypto";

export type KeyAlgorithmName = "P-256" | "RSA-2048" | "RSA-4096";

/** For `crypto.subtle.generateKey(keyAlgorithms[name], true, [...keyUsages])`. */
export const keyAlgorithms: Readonly<
  Record<KeyAlgorithmName, webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams>
> = {
  "P-256": { name: "ECDSA", namedCurve: "P-256" },
  "RSA-2048": rsa(2048),
  "RSA-4096": rsa(4096),
};

export const keyUsages: readonly ["sign", "verify"] = ["sign", "verify"];

/** How a key of one of these kinds signs certificates and requests: always over SHA-256. */
export function signingAlgorithmOf(key: CryptoKey): { name: string; hash: string } {
  return { name: key.algorithm.name, hash: "SHA-256" };
}

export function isRsa(key: CryptoKey): boolean {
  return key.algorithm.name.startsWith("RSA");
}

function rsa(modulusLength: number): webcrypto.RsaHashedKeyGenParams {
  return {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
}
