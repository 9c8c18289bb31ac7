// All that happened within some time from the start: of one worker, as it says once a second, or of several together.
import { type Account, emptyAccount, sumAccounts } from "../stats/account.ts";
import { Histogram, highestOf, slotCount } from "../stats/histogram.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import type { SnapshotLine } from "../stats/line.ts";

export interface Span {
  seconds: number;
  account: Account;
  latency: Histogram;
}

export function emptySpan(): Span {
  return { seconds: 0, account: emptyAccount(), latency: new Histogram() };
}

export function spanOf({ elapsedSeconds, account, latency }: SnapshotLine): Span {
  return { seconds: elapsedSeconds, account, latency: decodeHistogram(latency) };
}

/** What several workers did in the same time. */
export function mergeSpans(spans: readonly Span[]): Span {
  const merged = emptySpan();
  for (const { latency } of spans) merged.latency.merge(latency);
  merged.account = sumAccounts(spans.map(({ account }) => account));
  merged.seconds = Math.max(0, ...spans.map(({ seconds }) => seconds));
  return merged;
}

/** What `later` has recorded beyond `earlier`: exact but for the maximum, which is up to 0.8 % too high. */
export function histogramBetween(earlier: Histogram, later: Histogram): Histogram {
  const between = new Histogram();
  let highestSlot = -1;
  for (let slot = 0; slot < slotCount; slot++) {
    const count = (later.counts[slot] as number) - (earlier.counts[slot] as number);
    between.counts[slot] = count;
    if (count > 0) highestSlot = slot;
  }
  between.total = later.total - earlier.total;
  between.sumNs = later.sumNs - earlier.sumNs;
  between.maxNs = highestSlot < 0 ? 0 : Math.min(highestOf(highestSlot), later.maxNs);
  return between;
}
