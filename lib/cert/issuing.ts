// New authorities and certificates: keys, serial numbers and dates by chance and clock, all else as asked.
import { type Authority, createAuthority } from "../pki/authority.ts";
import { issueCertificate } from "../pki/leaf.ts";
import type { Names } from "../pki/names.ts";
import { nowMs } from "../runtime/clock.ts";
import { generateKeys, newSerialNumber } from "./keys.ts";

const day = 24 * 3600e3;
/** Certificates begin in the past, for clients whose clocks are behind. */
const clockSkewMs = 3600e3;
const certificateLifetimeMs = 90 * day;
const authorityLifetimeMs = 730 * day;

/** An authority for just these names, and what is below them; `purpose` begins its own name. */
export async function newAuthority(purpose: string, { dnsNames, ipAddresses }: Names): Promise<Authority> {
  const serialNumber = newSerialNumber();
  return createAuthority({
    keys: await generateKeys(),
    commonName: `${purpose} ${serialNumber.slice(0, 8)}`,
    permittedDnsNames: dnsNames,
    permittedIpAddresses: ipAddresses,
    serialNumber,
    ...lifetime(authorityLifetimeMs),
  });
}

/** The certificate of a server that has the key. */
export function newCertificate(
  authority: Authority,
  publicKey: CryptoKey,
  subject: Names & { commonName: string },
  lifetimeMs = certificateLifetimeMs,
): Promise<string> {
  return issueCertificate(authority, {
    ...subject,
    publicKey,
    serialNumber: newSerialNumber(),
    ...lifetime(lifetimeMs),
  });
}

function lifetime(lengthMs: number): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: nowMs() - clockSkewMs, notAfterMs: nowMs() + lengthMs };
}
