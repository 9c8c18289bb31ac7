// A summary as text, for a person who sees one for the first time.
import type { Account } from "../stats/account.ts";
import type { Percentiles, Summary } from "../stats/summary.ts";
import { errorRate } from "../stats/threshold.ts";

/** The whole summary, several lines, with its last newline. */
export function formatSummary(summary: Summary): string {
  const lines = [
    `Requests   ${count(summary.scheduled)} scheduled · ${count(summary.sent)} sent · ${count(summary.completed)} completed`,
    ...problems(summary).map((line) => `           ${line}`),
    `Rate       ${asked(summary)}${rate(summary.sentPerSecond)} sent · ${rate(summary.throughputPerSecond)} completed`,
    "",
    `                  mean       p50       p90       p99     p99.9       max`,
    `Latency     ${percentiles(summary.latencyUs)}   from when it was due to the last byte`,
    `  Service   ${percentiles(summary.serviceTimeUs)}   from when it was sent to the last byte`,
    `  Slip      ${percentiles(summary.slipUs)}   from when it was due to when it was sent:`,
    `    waiting ${percentiles(summary.connectionWaitUs)}   no connection was free`,
    `    late    ${percentiles(summary.generatorSlipUs)}   the generator itself was late`,
    "",
    ...(summary.paths.length > 1 ? [...paths(summary), ""] : []),
    ...summary.thresholds.map(
      (threshold) => `${threshold.passed ? "kept    " : "BROKEN  "} ${formatThreshold(threshold)}`,
    ),
    verdict(summary),
  ];
  return `${lines.join("\n")}\n`;
}

/** `12.3 ms`, of microseconds, in nine columns at most. */
export function formatUs(us: number): string {
  if (us < 1000) return `${us.toFixed(us < 10 ? 1 : 0)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(us < 1e5 ? 2 : 1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
}

/** `p99 12.30 ms, at most 10.00 ms`. */
export function formatThreshold({ name, limit, measured }: Summary["thresholds"][number]): string {
  if (name === "errorRate") return `error rate ${formatPercent(measured)}, at most ${formatPercent(limit)}`;
  if (name === "minRate") return `rate ${formatPercent(measured)} of what was asked, at least ${formatPercent(limit)}`;
  return `${name} ${formatUs(measured)}, at most ${formatUs(limit)}`;
}

function asked({ askedPerSecond }: Summary): string {
  return askedPerSecond === null ? "" : `${rate(askedPerSecond)} asked · `;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function rate(value: number): string {
  return `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })}/s`;
}

function percentiles(values: Percentiles): string {
  const { mean, p50, p90, p99, p999, max } = values;
  return [mean, p50, p90, p99, p999, max].map((us) => formatUs(us).padStart(10)).join("");
}

/** What did not complete, a line each; nothing when all did. */
function problems(account: Account): string[] {
  const failed = Object.entries(account.failed).map(([kind, n]) => `${count(n)} failed: ${failureWords[kind] ?? kind}`);
  const statuses = Object.entries(account.statusCodes).filter(([code]) => Number(code) < 200 || Number(code) >= 400);
  return [
    ...failed,
    ...statuses.map(([code, n]) => `  of them ${count(n)} with status ${code}`),
    ...(account.timedOut > 0 ? [`${count(account.timedOut)} timed out`] : []),
    ...(account.inFlight > 0 ? [`${count(account.inFlight)} still without an answer at the end`] : []),
    ...(account.unsent > 0
      ? [`${count(account.unsent)} due but never sent: no connection was free in time, or the run was stopped`]
      : []),
    ...(account.lost > 0 ? [`${count(account.lost)} lost with a worker`] : []),
  ];
}

const failureWords: Record<string, string> = {
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
};

function paths(summary: Summary): string[] {
  const width = Math.min(40, Math.max(...summary.paths.map(({ path }) => path.length)));
  return [
    `${"Path".padEnd(width)}  completed    errors       p50       p99`,
    ...summary.paths.map(
      (part) =>
        `${part.path.slice(0, width).padEnd(width)}${count(part.completed).padStart(11)}${formatPercent(errorRate(part)).padStart(10)}` +
        `${formatUs(part.latencyUs.p50).padStart(10)}${formatUs(part.latencyUs.p99).padStart(10)}`,
    ),
  ];
}

function verdict(summary: Summary): string {
  if (summary.completed === 0) return "FAILED   not one request was completed";
  if (!summary.valid) return `INVALID  ${summary.invalidReasons.join("; ")}`;
  if (summary.passed === false) return "FAILED   a threshold was broken";
  const bad = summary.scheduled - summary.completed;
  return bad === 0
    ? "VALID    the generator kept its schedule, every request completed"
    : `VALID    the generator kept its schedule, ${count(bad)} requests did not complete`;
}
