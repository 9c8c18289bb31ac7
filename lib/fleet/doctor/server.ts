// The API server's version, and its clock against the clock here.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { span } from "./words.ts";

/** Minor versions of Kubernetes 1. Before the first there is no ValidatingAdmissionPolicy of v1. */
const firstPossible = 30;
const firstTested = 31;
const lastTested = 34;

/** What `/version` says. */
export interface ServerVersion {
  gitVersion: string;
  minor: string;
  /** Of which version its behavior is, where that is another one. */
  emulationMinor?: string;
}

/** That counts for what the server can do. */
export function minorOf({ minor, emulationMinor }: ServerVersion): number {
  return Number.parseInt(emulationMinor ?? minor, 10);
}

export function judgeVersion(version: ServerVersion): Finding {
  const subject = "API server";
  const minor = minorOf(version);
  const isEmulating = minor !== Number.parseInt(version.minor, 10);
  const what = `${version.gitVersion}${isEmulating ? `, which behaves as 1.${minor}` : ""}`;
  const range = `1.${firstTested} to 1.${lastTested}`;
  if (minor < firstPossible) {
    return failure(subject, `${what}: must be 1.${firstPossible} or later`, "upgrade the cluster");
  }
  if (minor < firstTested) {
    return warning(subject, `${what}: tested with ${range} only`, "upgrade the cluster");
  }
  if (minor > lastTested) {
    return warning(subject, `${what}: tested with ${range} only`, "see whether there is a later version of loadtest");
  }
  return ok(subject, `${what}, tested with ${range}`);
}

/** A moment of the server's clock, which tells whole seconds, and the moments here before and after. */
export interface ClockReading {
  serverMs: number;
  beforeMs: number;
  afterMs: number;
}

const tolerableMs = 2000;
/** Certificates and tokens of one side are not yet good on the other. */
const harmfulMs = 60_000;

/** By how much the server's clock is ahead of the one here at the least; 0 where they may agree. */
export function clockSkewMs({ serverMs, beforeMs, afterMs }: ClockReading): number {
  if (serverMs > afterMs) return serverMs - afterMs;
  return Math.min(0, serverMs + 1000 - beforeMs);
}

export function judgeClock(reading: ClockReading | undefined): Finding {
  const subject = "clock";
  if (reading === undefined) {
    return warning(subject, "the API server's answer has no date", "ask it without a proxy in between");
  }
  const skewMs = clockSkewMs(reading);
  const size = Math.abs(skewMs);
  if (size <= tolerableMs) return ok(subject, "the API server's agrees with this machine's");
  const message = `the API server's is ${span(size)} ${skewMs > 0 ? "ahead of" : "behind"} this machine's`;
  const remedy = "set the one that is wrong by NTP; ages said here are as wrong as the clock";
  return size > harmfulMs ? failure(subject, message, remedy) : warning(subject, message, remedy);
}
