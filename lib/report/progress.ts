// The state of a running load in one line, redrawn once a second.
import { sumAccounts } from "../stats/account.ts";
import { Histogram } from "../stats/histogram.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { errorRate } from "../stats/threshold.ts";
import { formatPercent, formatUs } from "./text.ts";

/** ` 4 s of 10 s   1,000/s of 1,000/s   errors 0.0 %   p50 212 µs   p99 1.20 ms`, over all time so far. */
export function formatProgress(
  snapshots: readonly SnapshotLine[],
  askedPerSecond: number | "max",
  totalSeconds?: number,
): string {
  const account = sumAccounts(snapshots.map((snapshot) => snapshot.account));
  const latency = new Histogram();
  for (const snapshot of snapshots) latency.merge(decodeHistogram(snapshot.latency));
  const elapsedSeconds = Math.max(...snapshots.map((snapshot) => snapshot.elapsedSeconds));
  const time = `${elapsedSeconds.toFixed(0).padStart(3)} s${totalSeconds === undefined ? "" : ` of ${totalSeconds} s`}`;
  const sentPerSecond = Math.round(account.sent / elapsedSeconds).toLocaleString("en-US");
  return [
    time,
    askedPerSecond === "max"
      ? `${sentPerSecond}/s`
      : `${sentPerSecond}/s of ${askedPerSecond.toLocaleString("en-US")}/s`,
    `errors ${formatPercent(errorRate({ ...account, unsent: 0 }))}`,
    `p50 ${formatUs(latency.quantileNs(0.5) / 1e3)}`,
    `p99 ${formatUs(latency.quantileNs(0.99) / 1e3)}`,
  ].join("   ");
}
