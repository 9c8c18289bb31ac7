// What the target says at its end, as a value and as text: what reached it, how evenly, and what it answered.
import { type JitterUs, jitterUs } from "../stats/arrivals.ts";
import type { PathCount } from "./path-counts.ts";
import type { Reply } from "./replies.ts";
import type { Tally } from "./tally.ts";

export interface TargetReport {
  kind: "report";
  /** Requests accepted; those refused (4xx, 5xx) are in `statusCodes` and `framings` alone. */
  requests: number;
  /** Unix time of the first and last arrival, milliseconds; null without requests. */
  firstArrivalAtMs: number | null;
  lastArrivalAtMs: number | null;
  /** (requests − 1) / (last arrival − first arrival); null where that is no number. */
  ratePerSecond: number | null;
  /** Distances of the arrivals from the evenly spaced line that fits them best; null for fewer than three. */
  jitterUs: JitterUs | null;
  /** Arrivals that the jitter is of: all, or the first `--max-arrivals`. */
  jitterArrivals: number;
  paths: PathCount[];
  connections: number;
  connectionErrors: number;
  bytesReceived: number;
  bytesSent: number;
  /** Whole responses per status code. */
  statusCodes: Record<string, number>;
  /** Whole responses per framing. */
  framings: Record<string, number>;
  /** Faults really committed, per kind; those that are whole responses are among these too. */
  faults: Record<string, number>;
}

/** The report of a target that gave `replies`; `wallMs` gives the Unix time of a monotonic instant. */
export function targetReport(
  tally: Tally,
  replies: readonly Reply[],
  wallMs: (instantNs: number) => number,
): TargetReport {
  const responses = replies.filter(({ code }) => code !== undefined);
  const instantsNs = tally.arrivals.instantsNs();
  const spanSeconds = (tally.lastArrivalNs - tally.firstArrivalNs) / 1e9;
  const hasRequests = tally.requests > 0;
  return {
    kind: "report",
    requests: tally.requests,
    firstArrivalAtMs: hasRequests ? wallMs(tally.firstArrivalNs) : null,
    lastArrivalAtMs: hasRequests ? wallMs(tally.lastArrivalNs) : null,
    ratePerSecond: spanSeconds > 0 ? (tally.requests - 1) / spanSeconds : null,
    jitterUs: jitterUs(instantsNs),
    jitterArrivals: instantsNs.length,
    paths: tally.paths.list(),
    connections: tally.connections,
    connectionErrors: tally.connectionErrors,
    bytesReceived: tally.bytesReceived,
    bytesSent: tally.bytesSent,
    statusCodes: countsBy(responses, ({ code }) => `${code}`),
    framings: countsBy(responses, ({ framing }) => framing),
    faults: countsBy(
      replies.filter(({ fault }) => fault !== undefined),
      ({ fault }) => `${fault?.kind}`,
    ),
  };
}

function countsBy(replies: readonly Reply[], keyOf: (reply: Reply) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reply of replies) counts[keyOf(reply)] = (counts[keyOf(reply)] ?? 0) + reply.count;
  return counts;
}

/** The report for people: one aligned line a figure, then the paths. */
export function formatReport(report: TargetReport): string {
  const { firstArrivalAtMs, lastArrivalAtMs, ratePerSecond, jitterUs: jitter } = report;
  const lines: [string, string][] = [["requests", formatCount(report.requests)]];
  if (firstArrivalAtMs !== null) lines.push(["first arrival", new Date(firstArrivalAtMs).toISOString()]);
  if (lastArrivalAtMs !== null) lines.push(["last arrival", new Date(lastArrivalAtMs).toISOString()]);
  if (ratePerSecond !== null) lines.push(["rate", `${formatTenths(ratePerSecond)} requests/s`]);
  if (jitter !== null) {
    const quantiles = Object.entries(jitter).map(([name, valueUs]) => `${name} ${formatTenths(valueUs)} µs`);
    lines.push(["jitter", `${quantiles.join(", ")} off an even schedule`]);
  }
  if (report.jitterArrivals < report.requests) {
    lines.push(["", `of the first ${formatCount(report.jitterArrivals)} arrivals only (--max-arrivals)`]);
  }
  lines.push(["connections", formatCount(report.connections)]);
  if (report.connectionErrors > 0) lines.push(["connection errors", formatCount(report.connectionErrors)]);
  lines.push(["received", `${formatCount(report.bytesReceived)} bytes`]);
  lines.push(["sent", `${formatCount(report.bytesSent)} bytes`]);
  lines.push(["responses", formatCounts(report.statusCodes) || "none"]);
  if (Object.keys(report.framings).some((framing) => framing !== "length")) {
    lines.push(["framings", formatCounts(report.framings)]);
  }
  if (Object.keys(report.faults).length > 0) lines.push(["faults", formatCounts(report.faults)]);
  const paths = report.paths.map(({ path, requests }): [string, string] => [path, formatCount(requests)]);
  return paths.length === 0 ? align(lines) : `${align(lines)}paths\n${align(paths, "  ")}`;
}

function formatCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${formatCount(count)} × ${name}`)
    .join(", ");
}

function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

function formatTenths(value: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Lines of a name and a value each, the values in one column; a name wider than 40 columns pushes its own value only. */
function align(lines: readonly [string, string][], indent = ""): string {
  const width = Math.min(40, Math.max(...lines.map(([name]) => name.length)));
  return lines.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}\n`).join("");
}
