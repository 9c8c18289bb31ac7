// The search for the highest rate in words: a line for each probe, then what was found.
import type { Maximum, Probe } from "../stats/maximum.ts";
import { errorRate } from "../stats/threshold.ts";
import { paragraph } from "./paragraph.ts";
import { formatNumberOf, formatPercent, formatRate, formatUs, noFigure } from "./quantity.ts";
import { formatLimit, formatMeasured } from "./threshold-text.ts";

/** The head of the columns of `formatProbe`. */
export const probeHead = probeLine("Probe", "rate", ["p50", "p99", "errors"], "");

export function formatProbe(probe: Probe, number: number): string {
  const { requestsPerSecond, summary } = probe;
  const rate = formatRate(requestsPerSecond ?? summary?.throughputPerSecond ?? 0);
  if (summary === null) return probeLine(`${number}`, rate, ["", "", ""], outcome(probe));
  const { p50, p99, max } = summary.latencyUs;
  const latencies = [p50, p99].map((us) => (max === 0 ? noFigure : formatUs(us)));
  return probeLine(`${number}`, rate, [...latencies, formatPercent(errorRate(summary))], outcome(probe));
}

function probeLine(number: string, rate: string, values: readonly string[], outcome: string): string {
  const columns = values.map((value) => value.padStart(10)).join("");
  return `${number.padStart(5)}${rate.padStart(13)}${columns}   ${outcome}`.trimEnd();
}

/** `kept`, or `broken: p99 120.1 ms`, or `unsure: …` where the generator may have broken it. */
function outcome({ requestsPerSecond, kept, fellBehind, failure, summary }: Probe): string {
  if (requestsPerSecond === null) return "as fast as responses came";
  if (kept) return "kept";
  if (summary === null) return `broken: ${failure}`;
  const broken = summary.thresholds.flatMap((threshold) => (threshold.passed ? [] : [formatMeasured(threshold)]));
  const reasons = [...broken, ...(fellBehind ? ["the target fell behind"] : [])];
  return `${kept === null ? "unsure" : "broken"}: ${reasons.join(", ") || "no request completed"}`;
}

/** What was found, the verdict last; `isStopped`: before it was found. */
export function formatMaximum(maximum: Maximum, isStopped: boolean): string {
  const { probes, requestsPerSecond, generatorLimits } = maximum;
  const limits = (probes.findLast(({ summary }) => summary !== null)?.summary?.thresholds ?? [])
    .map(formatLimit)
    .join(", ");
  const found = requestsPerSecond === null ? "none found that" : formatRate(requestsPerSecond);
  const lines = [
    ...paragraph("Maximum", limits === "" ? "none found" : `${found} keeps ${limits}`),
    ...lowestRefused(maximum),
    ...generatorLimits.flatMap((reason, index) => paragraph(index === 0 ? "Generator" : "", reason)),
    ...verdict(maximum, isStopped),
  ];
  return `${lines.join("\n")}\n`;
}

/** The lowest rate above the maximum that was tried. */
function lowestRefused({ probes, requestsPerSecond }: Maximum): string[] {
  const rateOf = (probe: Probe) => probe.requestsPerSecond ?? 0;
  const above = probes.filter((probe) => rateOf(probe) > (requestsPerSecond ?? 0));
  const lowest = above.toSorted((a, b) => rateOf(a) - rateOf(b))[0];
  return lowest === undefined ? [] : paragraph("Refused", `${formatRate(rateOf(lowest))}, ${outcome(lowest)}`);
}

function verdict({ probes, requestsPerSecond, isExact, generatorLimits }: Maximum, isStopped: boolean): string[] {
  const count = formatNumberOf(probes.length, "probe");
  const inProbes = `in ${count}`;
  if (isStopped) return paragraph("INVALID", `stopped after ${count}, before the maximum was found`);
  if (generatorLimits.length > 0) return paragraph("INVALID", "the generator was the limit: the target may bear more");
  if (requestsPerSecond === null) return paragraph("FAILED", `no rate kept the thresholds, ${inProbes}`);
  if (!isExact) return paragraph("INVALID", `the maximum lies between the two: not found ${inProbes}`);
  return paragraph("PASSED", `found ${inProbes}`);
}
