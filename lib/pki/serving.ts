// The serving certificate's life as a pure function: what is so → the next step. Nothing is remembered: after a crash
// at any point the same rules go on from what is there.
//
//     makeAuthority ─ trust [new, old] ─ hold 10 s ─ issue ─ prove by handshakes ─ trust [new]
//
// The key of an old authority is gone as soon as there is a new one; its certificate stays in the bundle until every
// replica has shown that it serves what the new one has signed. So each certificate that is served is trusted at all
// times, and a step that is late, repeated or done by two at once does no harm.
import { describeCertificate } from "./certificate.ts";
import { chainProblem } from "./chain.ts";
import { renewAtMs } from "./renewal.ts";

/** Between the writing of a bundle and the use of a certificate that needs it: every API server is to have noticed. */
export const bundleHoldMs = 10_000;

export interface ServingState {
  /** The name or address that the API server calls. */
  host: string;
  /** The signing authority; undefined when there is none that can be used for these names. */
  authorityPem: string | undefined;
  /** What replicas are to serve; undefined when there is nothing that can be. */
  serving: { chainPem: string; issuerPem: string } | undefined;
  /** The registrations whose bundle is ours to write. */
  registrations: readonly Registration[];
  /** What each running replica presents, by name; undefined as long as nobody has asked them. */
  replicas?: ReadonlyMap<string, Presented>;
  /** Somebody asks for it now. */
  wanted: { certificate: boolean; authority: boolean };
}

export interface Registration {
  name: string;
  /** The certificates of its caBundle. */
  bundle: readonly string[];
  /** For how long they have been seen to include the authority's. */
  trustedForMs: number;
}

/** Fingerprint of the certificate that a replica presents, or why that is not known. */
export type Presented = { fingerprint: string } | { silence: string };

export type ServingStep =
  | { kind: "makeAuthority"; reason: string }
  /** Writes these certificates as the bundle of every registration. */
  | { kind: "trust"; certificates: readonly string[]; reason: string }
  | { kind: "issue"; reason: string }
  /** Asks the replicas what they present, and plans again. */
  | { kind: "prove"; reason: string }
  | { kind: "wait"; reason: string }
  | { kind: "rest" };

export function nextStep(state: ServingState, nowMs: number): ServingStep {
  const { authorityPem, serving, registrations, host } = state;
  if (authorityPem === undefined) return { kind: "makeAuthority", reason: "there is none for this endpoint" };
  const authority = describeCertificate(authorityPem);
  if (nowMs >= authority.notAfterMs) return { kind: "makeAuthority", reason: "it has expired" };

  const distrusting = registrations.find(({ bundle }) => !bundle.includes(authorityPem));
  if (distrusting !== undefined) {
    return {
      kind: "trust",
      certificates: everyTrusted(state, authorityPem, nowMs),
      reason: `${distrusting.name} does not trust the authority`,
    };
  }
  const problem = servingProblem(serving?.chainPem, authorityPem, host, nowMs);
  if (problem !== undefined) {
    const isUsable = serving !== undefined && isServable(serving, host, nowMs);
    const young = registrations.find(({ trustedForMs }) => trustedForMs < bundleHoldMs);
    if (isUsable && young !== undefined) {
      return { kind: "wait", reason: `for every API server to notice the new bundle of ${young.name}` };
    }
    return { kind: "issue", reason: problem };
  }
  const { chainPem } = serving as NonNullable<typeof serving>;
  const overtrusting = registrations.find(({ bundle }) => bundle.length > 1);
  if (overtrusting !== undefined) return dropOld(state, authorityPem, chainPem, overtrusting.name);

  if (state.wanted.authority) return { kind: "makeAuthority", reason: "it was asked for" };
  if (nowMs >= renewAtMs(authority)) return { kind: "makeAuthority", reason: "two thirds of its life are over" };
  if (state.wanted.certificate) return { kind: "issue", reason: "it was asked for" };
  const certificate = describeCertificate(chainPem);
  if (nowMs >= renewAtMs(certificate)) return { kind: "issue", reason: "two thirds of its life are over" };
  return { kind: "rest" };
}

/** Whether a replica may serve this chain: it leads to its issuer, for this host, now. */
export function isServable(serving: { chainPem: string; issuerPem: string }, host: string, nowMs: number): boolean {
  return servingProblem(serving.chainPem, serving.issuerPem, host, nowMs) === undefined;
}

function servingProblem(
  chainPem: string | undefined,
  bundlePem: string,
  host: string,
  nowMs: number,
): string | undefined {
  return chainPem === undefined ? "there is no certificate" : chainProblem({ chainPem, bundlePem, host, nowMs });
}

/** The authority, whoever has issued what is served, and all that was trusted before, as far as it is in date. */
function everyTrusted({ serving, registrations }: ServingState, authorityPem: string, nowMs: number): string[] {
  const issuers = serving === undefined ? [] : [serving.issuerPem];
  const before = registrations.flatMap(({ bundle }) => bundle);
  const certificates = new Set([authorityPem, ...issuers, ...before]);
  return [...certificates].filter((pem) => describeCertificate(pem).notAfterMs > nowMs);
}

function dropOld(state: ServingState, authorityPem: string, chainPem: string, registration: string): ServingStep {
  if (state.replicas === undefined) return { kind: "prove", reason: `${registration} still trusts an old authority` };
  const { fingerprint } = describeCertificate(chainPem);
  for (const [name, presented] of state.replicas) {
    if ("silence" in presented) return { kind: "wait", reason: `for replica ${name}: ${presented.silence}` };
    if (presented.fingerprint !== fingerprint)
      return { kind: "wait", reason: `for replica ${name} to serve the new certificate` };
  }
  return { kind: "trust", certificates: [authorityPem], reason: "every replica serves what the authority has signed" };
}
