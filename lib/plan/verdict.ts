// Results → whether the LoadTest passed, and the figures that people see in a list.
import { formatDuration } from "../loadtest/duration.ts";
import type { LoadTestResults } from "../loadtest/load-test-results.ts";
import type { Display, Finding } from "../loadtest/load-test-status.ts";
import { formatPercent } from "../loadtest/percent.ts";
import { isMuchLost } from "../stats/generator.ts";
import { errorRate } from "../stats/threshold.ts";
import type { RunOutcome } from "./results.ts";

const type = "Passed";

type JudgedThreshold = LoadTestResults["thresholds"][number];

export const stillRunning: Finding = {
  type,
  status: "Unknown",
  reason: "InProgress",
  message: "The load has not ended.",
};

/** undefined: the load has ended, and its Pods are gone. */
export function passedFinding(outcome: RunOutcome | undefined): Finding {
  const { results, gap } = outcome ?? {};
  if (results === undefined) {
    const message = gap === undefined ? "The workers are gone, and with them their results." : sentence(gap.reason);
    return { type, status: "Unknown", reason: "ResultsIncomplete", message };
  }
  const { completed, invalidReasons, passed, thresholds } = results;
  if (passed === undefined) {
    const reason = gap !== undefined || isMuchLost(results) ? "ResultsIncomplete" : "GeneratorSaturated";
    return { type, status: "Unknown", reason, message: sentence(invalidReasons.join("; ")) };
  }
  if (completed === 0) {
    return { type, status: "False", reason: "NothingCompleted", message: "Not one request completed." };
  }
  if (!passed) {
    const message = brokenInWords(thresholds.filter((threshold) => !threshold.passed));
    return { type, status: "False", reason: "ThresholdsBroken", message };
  }
  const missed = results.scheduled - completed;
  const kept = thresholds.length === 0 ? "No thresholds are given" : "Every threshold was kept";
  const done = missed === 0 ? "every request completed" : `${missed} of ${results.scheduled} requests did not complete`;
  return { type, status: "True", reason: "ThresholdsKept", message: `${kept}; ${done}.` };
}

export function brokenInWords(broken: readonly JudgedThreshold[]): string {
  return `Broken: ${broken.map(brokenThreshold).join("; ")}.`;
}

function brokenThreshold({ name, measured, limit }: JudgedThreshold): string {
  if (name === "errorRate") return `errorRate is ${formatPercent(measured)}, must be at most ${formatPercent(limit)}`;
  if (name === "minRate") return `minRate is ${formatPercent(measured)}, must be at least ${formatPercent(limit)}`;
  return `${name} is ${formatUs(measured, 4)}, must be at most ${formatUs(limit, 9)}`;
}

/** The figures that are displayed, of results or of what is known so far. */
type Displayed = Parameters<typeof errorRate>[0] & { throughputPerSecond: number; latencyUs: { p99: number } };

export function displayOf(results: Displayed): Display {
  const { throughputPerSecond } = results;
  return {
    rps: throughputPerSecond.toFixed(throughputPerSecond < 100 ? 1 : 0),
    errors: formatPercent(errorRate(results)),
    p99: formatUs(results.latencyUs.p99, 3),
  };
}

/** So many digits at most: histograms hold three. */
function formatUs(us: number, digits: number): string {
  return formatDuration(Math.round(Number((us * 1e3).toPrecision(digits))));
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
