// Snapshots made by hand.
import { type Account, emptyAccount } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import type { SnapshotLine } from "../../lib/stats/line.ts";

/** What a worker says after `elapsedSeconds`, all of it since the start. */
export function snapshot(
  worker: number,
  elapsedSeconds: number,
  account: Partial<Account>,
  latenciesNs: readonly number[] = [],
): SnapshotLine {
  const latency = new Histogram();
  for (const latencyNs of latenciesNs) latency.record(latencyNs);
  return {
    kind: "snapshot",
    plan: "0f3a92bc",
    worker,
    startedAtMs: 0,
    elapsedSeconds,
    account: { ...emptyAccount(), ...account },
    latency: encodeHistogram(latency),
  };
}
