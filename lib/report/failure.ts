// Requests that did not complete, by kind and in words.
import { type Account, failureKinds } from "../stats/account.ts";

const badOutcomes = [...failureKinds, "timedOut", "lost"] as const;
export type BadOutcome = (typeof badOutcomes)[number];

/** Each in at most 13 columns. */
export const shortWords: Readonly<Record<BadOutcome, string>> = {
  connect: "not connected",
  refused: "refused",
  resetBeforeFirstByte: "closed early",
  resetMidBody: "reset midway",
  truncated: "cut short",
  malformed: "not HTTP/1.1",
  tlsChain: "TLS untrusted",
  tlsName: "TLS name",
  tlsHandshake: "TLS handshake",
  dns: "no address",
  unexpectedStatus: "wrong status",
  timedOut: "timed out",
  lost: "lost",
};

export const words: Readonly<Record<BadOutcome, string>> = {
  connect: "no connection",
  refused: "connection refused",
  resetBeforeFirstByte: "connection closed before the first byte of the response",
  resetMidBody: "connection reset within the response",
  truncated: "response cut short",
  malformed: "response was not HTTP/1.1",
  tlsChain: "certificate not trusted",
  tlsName: "certificate is for another name",
  tlsHandshake: "TLS handshake failed",
  dns: "name not resolved",
  unexpectedStatus: "unexpected status",
  timedOut: "timed out",
  lost: "lost with a worker",
};

export function outcomeCount(account: Account, outcome: BadOutcome): number {
  return outcome === "timedOut" || outcome === "lost" ? account[outcome] : (account.failed[outcome] ?? 0);
}

/** Those that occurred. */
export function occurred(account: Account): BadOutcome[] {
  return badOutcomes.filter((outcome) => outcomeCount(account, outcome) > 0);
}

/** Requests of a known outcome that is not the asked one. */
export function badCount(account: Account): number {
  return badOutcomes.reduce((sum, outcome) => sum + outcomeCount(account, outcome), 0);
}
