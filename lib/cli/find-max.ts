// `loadtest run --find-max`: a line for each probe, then the highest rate that kept the thresholds.
import { type FoundMaximum, findMax, type Probe } from "../local/find-max.ts";
import type { LoadRun } from "../local/run-load.ts";
import { formatThreshold, formatUs } from "../report/text.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import type { Threshold } from "../stats/threshold.ts";
import { ExitCode } from "./exit-code.ts";

/** What must be kept when nothing is asked for. */
export const defaultThresholds: readonly Threshold[] = [
  { name: "p99", value: 100e6 },
  { name: "errorRate", value: 0 },
];

export async function printMaximum(run: LoadRun, output: "text" | "json", isQuiet: boolean): Promise<ExitCode> {
  const found = await findMax(run, (probe) => {
    if (!isQuiet) writeErr(`${formatProbe(probe)}\n`);
  });
  writeOut(output === "json" ? `${JSON.stringify(found, null, 2)}\n` : formatMaximum(found));
  if (found.requestsPerSecond === null) return ExitCode.ThresholdsFailed;
  return found.generatorLimits.length > 0 ? ExitCode.Inconclusive : ExitCode.Passed;
}

function formatProbe({ requestsPerSecond, kept, summary }: Probe): string {
  const latency = `p99 ${formatUs(summary.latencyUs.p99)}`;
  if (requestsPerSecond === null) {
    return `as fast as it goes: ${rate(summary.throughputPerSecond)} with all connections busy, ${latency}`;
  }
  const broken = summary.thresholds.filter((threshold) => !threshold.passed).map(formatThreshold);
  const why = [...broken, ...(kept === null ? summary.invalidReasons : [])].join("; ");
  return `${rate(requestsPerSecond).padStart(12)}  ${kept === null ? "unsure" : kept ? "kept  " : "broken"}  ${latency}${why === "" ? "" : `  ${why}`}`;
}

function formatMaximum({ probes, requestsPerSecond, generatorLimits }: FoundMaximum): string {
  if (requestsPerSecond === null) return `No rate kept the thresholds, in ${probes.length} probes.\n`;
  const limit = generatorLimits.length === 0 ? "" : `The generator was the limit: ${generatorLimits.join("; ")}.\n`;
  return `The highest rate that kept the thresholds: ${rate(requestsPerSecond)}, found in ${probes.length} probes.\n${limit}`;
}

function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en-US")}/s`;
}
