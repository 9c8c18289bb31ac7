// Keys, instants and names that the tests of this folder share.
import fc from "fast-check";
import { type Authority, type AuthorityOptions, createAuthority } from "../../lib/pki/authority.ts";
import { type KeyAlgorithmName, keyAlgorithms, keyUsages } from "../../lib/pki/key-algorithm.ts";
import { type CertificateOptions, issueCertificate } from "../../lib/pki/leaf.ts";

export const beginMs = Date.UTC(2026, 0, 1);
export const middleMs = Date.UTC(2026, 6, 1);
export const endMs = Date.UTC(2027, 0, 1);

export function newKeys(name: KeyAlgorithmName = "P-256"): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithms[name], true, [...keyUsages]);
}

export const authorityKeys = await newKeys();
export const serverKeys = await newKeys();

/** An authority for `example` and one address, but for what is given. */
export function sampleAuthority(options: Partial<AuthorityOptions> = {}): Promise<Authority> {
  return createAuthority({
    keys: authorityKeys,
    commonName: "authority",
    permittedDnsNames: ["example"],
    permittedIpAddresses: ["10.0.0.1"],
    serialNumber: "01",
    notBeforeMs: beginMs,
    notAfterMs: endMs,
    ...options,
  });
}

/** A certificate for `a.example`, but for what is given. */
export function sampleLeaf(authority: Authority, options: Partial<CertificateOptions> = {}): Promise<string> {
  return issueCertificate(authority, {
    publicKey: serverKeys.publicKey,
    commonName: "server",
    dnsNames: ["a.example"],
    ipAddresses: [],
    serialNumber: "02",
    notBeforeMs: beginMs,
    notAfterMs: endMs,
    ...options,
  });
}

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
export const dnsName = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
export const ipAddress = fc.oneof(fc.ipV4(), fc.ipV6());
