// The search for the highest rate in words: a line for each probe, then what was found.
import type { Summary } from "../stats/summary.ts";
import { errorRate } from "../stats/threshold.ts";
import { paragraph } from "./paragraph.ts";
import { formatPercent, formatRate, formatUs } from "./quantity.ts";
import { formatLimit, formatMeasured } from "./threshold-text.ts";

/** One run of the search. */
interface Probe {
  /** null: the closed loop that begins it. */
  requestsPerSecond: number | null;
  /** Whether the thresholds were kept; null: unsure. */
  kept: boolean | null;
  /** Whether requests were owed at the end. */
  fellBehind: boolean;
  summary: Pick<Summary, "throughputPerSecond" | "latencyUs" | "thresholds"> & Parameters<typeof errorRate>[0];
}

interface Maximum {
  probes: readonly Probe[];
  requestsPerSecond: number | null;
  generatorLimits: readonly string[];
}

/** The head of the columns of `formatProbe`. */
export const probeHead = probeLine("Probe", "rate", ["p50", "p99", "errors"], "");

export function formatProbe(probe: Probe, number: number): string {
  const { requestsPerSecond, summary } = probe;
  const { p50, p99 } = summary.latencyUs;
  const values = [formatUs(p50), formatUs(p99), formatPercent(errorRate(summary))];
  return probeLine(`${number}`, formatRate(requestsPerSecond ?? summary.throughputPerSecond), values, outcome(probe));
}

function probeLine(number: string, rate: string, values: readonly string[], outcome: string): string {
  const columns = values.map((value) => value.padStart(10)).join("");
  return `${number.padStart(5)}${rate.padStart(13)}${columns}   ${outcome}`.trimEnd();
}

/** `kept`, or `broken: p99 120.1 ms`, or `unsure: …` where the generator may have broken it. */
function outcome({ requestsPerSecond, kept, fellBehind, summary }: Probe): string {
  if (requestsPerSecond === null) return "as fast as responses came";
  if (kept) return "kept";
  const broken = summary.thresholds.flatMap((threshold) => (threshold.passed ? [] : [formatMeasured(threshold)]));
  const reasons = [...broken, ...(fellBehind ? ["the target fell behind"] : [])];
  return `${kept === null ? "unsure" : "broken"}: ${reasons.join(", ") || "no request completed"}`;
}

/** What was found, the verdict last; `isStopped`: before it was found. */
export function formatMaximum(maximum: Maximum, isStopped: boolean): string {
  const { probes, requestsPerSecond, generatorLimits } = maximum;
  const limits = probes.at(-1)?.summary.thresholds.map(formatLimit).join(", ") ?? "";
  const found = requestsPerSecond === null ? "none found that keeps" : `${formatRate(requestsPerSecond)} keeps`;
  const lines = [
    ...paragraph("Maximum", `${found} ${limits}`),
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

function verdict({ probes, requestsPerSecond, generatorLimits }: Maximum, isStopped: boolean): string[] {
  const inProbes = `in ${probes.length} probes`;
  if (isStopped) return paragraph("INVALID", `stopped ${inProbes}, before the maximum was found`);
  if (generatorLimits.length > 0) return paragraph("INVALID", "the generator was the limit: the target may bear more");
  if (requestsPerSecond === null) return paragraph("FAILED", `no rate kept the thresholds, ${inProbes}`);
  return paragraph("PASSED", `found ${inProbes}`);
}
