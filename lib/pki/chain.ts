// Would a client that trusts a bundle accept this server? Answered before the server is put in front of clients, by the
// rules of RFC 5280 §6 as Go's crypto/x509 applies them, but for name constraints and path lengths, which node:crypto
// does not show. Any certificate of the bundle is an anchor, self-signed or not, an authority or the server's own.
import type { X509Certificate } from "node:crypto";
import { splitBundle } from "./bundle.ts";
import { readCertificate } from "./certificate.ts";
import { canonicalIpAddress } from "./ip-address.ts";
import { isDnsName } from "./names.ts";

export interface ChainQuestion {
  /** The server's certificate, then others that may lead to the bundle, in any order. */
  chainPem: string;
  /** The trusted certificates. */
  bundlePem: string;
  /** The DNS name or IP address that the client asks for. */
  host: string;
  nowMs: number;
}

const serverAuth = "1.3.6.1.5.5.7.3.1";
const anyExtendedKeyUsage = "2.5.29.37.0";

/** One sentence on why the client would refuse, or undefined if it would not. Never throws. */
export function chainProblem({ chainPem, bundlePem, host, nowMs }: ChainQuestion): string | undefined {
  const chain = readAll("chain", chainPem);
  if (typeof chain === "string") return chain;
  const bundle = readAll("bundle", bundlePem);
  if (typeof bundle === "string") return bundle;

  const [leaf, ...intermediates] = chain;
  return hostProblem(leaf, host) ?? useProblem(leaf, nowMs) ?? pathProblem(leaf, intermediates, bundle, nowMs);
}

type Certificates = [X509Certificate, ...X509Certificate[]];

/** All certificates of the text, of which there is at least one, or why they cannot be had. */
function readAll(which: "chain" | "bundle", text: string): Certificates | string {
  const certificates: X509Certificate[] = [];
  for (const pem of splitBundle(text)) {
    try {
      certificates.push(readCertificate(pem));
    } catch {
      return `certificate ${certificates.length + 1} of the ${which} cannot be read, must be X.509 in PEM`;
    }
  }
  const [first, ...others] = certificates;
  return first ? [first, ...others] : `the ${which} has no certificate, must have at least one`;
}

function hostProblem(leaf: X509Certificate, host: string): string | undefined {
  if (isFor(leaf, host)) return undefined;
  return `${label(leaf)} is for ${leaf.subjectAltName ?? "no name"}, must be for ${host}`;
}

function isFor(leaf: X509Certificate, host: string): boolean {
  const address = canonicalIpAddress(host);
  if (address !== undefined) return leaf.checkIP(address) !== undefined;
  // node:crypto throws on some names that are none. The common name has not counted as a host for years.
  return isDnsName(host) && leaf.checkHost(host, { subject: "never", partialWildcards: false }) !== undefined;
}

/** What is wrong with a certificate of the chain for a server, whoever signed it. */
function useProblem(certificate: X509Certificate, nowMs: number): string | undefined {
  const { validFromDate, validToDate, keyUsage } = certificate;
  if (nowMs < validFromDate.getTime()) {
    return `${label(certificate)} begins at ${validFromDate.toISOString()}, must have begun`;
  }
  if (nowMs > validToDate.getTime()) {
    return `${label(certificate)} ended at ${validToDate.toISOString()}, must be in date`;
  }
  // What node:crypto calls the key usage is the extended one; without it, any use is allowed.
  if (keyUsage && !keyUsage.includes(serverAuth) && !keyUsage.includes(anyExtendedKeyUsage)) {
    return `${label(certificate)} is not for servers, must have the extended key usage serverAuth`;
  }
  return undefined;
}

/** Searches upwards from the leaf. Each certificate is reached once, so cross-signed ones cannot make it long. */
function pathProblem(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  bundle: readonly X509Certificate[],
  nowMs: number,
): string | undefined {
  const reached = new Map([[leaf.fingerprint256, leaf]]);
  const anchors = new Set(bundle.map((certificate) => certificate.fingerprint256));
  let problem: string | undefined;
  for (const [fingerprint, certificate] of reached) {
    if (anchors.has(fingerprint)) return undefined;
    for (const issuer of [...bundle, ...intermediates]) {
      if (reached.has(issuer.fingerprint256) || !isIssuer(issuer, certificate)) continue;
      const issuerProblem = authorityProblem(issuer) ?? useProblem(issuer, nowMs);
      if (issuerProblem === undefined) reached.set(issuer.fingerprint256, issuer);
      problem ??= issuerProblem;
    }
  }
  return problem ?? `${label(leaf)} leads to no certificate of the bundle, must be signed by one`;
}

function authorityProblem(certificate: X509Certificate): string | undefined {
  return certificate.ca ? undefined : `${label(certificate)} signs another, must be an authority`;
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // A key of a kind that node:crypto does not have cannot be checked, so it vouches for nothing.
  }
}

function label(certificate: X509Certificate): string {
  return `certificate "${certificate.subject.replaceAll("\n", ", ")}"`;
}
