// Thresholds and what was measured against them, in words.
import type { Summary } from "../stats/summary.ts";
import { formatPercent, formatUs } from "./quantity.ts";

/** One more than elsewhere, as a threshold may be missed by little. */
const digits = 4;

type Judged = Summary["thresholds"][number];

/** A line each, aligned. */
export function thresholdLines(thresholds: readonly Judged[]): string[] {
  const rows = thresholds.map(({ passed, ...threshold }) => {
    const { name, measured, limit } = thresholdWords(threshold);
    return { name, measured, limit, mark: passed ? "kept  " : "BROKEN" };
  });
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const measuredWidth = Math.max(...rows.map(({ measured }) => measured.length));
  return rows.map(
    ({ mark, name, measured, limit }) =>
      `${mark}     ${name.padEnd(nameWidth)}  ${measured.padStart(measuredWidth)}, ${limit}`,
  );
}

/** `p99 12.30 ms`. */
export function formatMeasured(threshold: Omit<Judged, "passed">): string {
  const { name, measured } = thresholdWords(threshold);
  return `${name} ${measured}`;
}

/** `p99 at most 10.00 ms`. */
export function formatLimit(threshold: Omit<Judged, "passed">): string {
  const { name, limit } = thresholdWords(threshold);
  return `${name} ${limit}`;
}

function thresholdWords({ name, limit, measured }: Omit<Judged, "passed">) {
  if (name === "errorRate") {
    return { name: "errors", measured: formatPercent(measured), limit: `at most ${formatPercent(limit)}` };
  }
  if (name === "minRate") {
    const least = `at least ${formatPercent(limit)} of the asked rate`;
    return { name: "completed", measured: formatPercent(measured), limit: least };
  }
  const quantile = name === "p999" ? "p99.9" : name;
  return { name: quantile, measured: formatUs(measured, digits), limit: `at most ${formatUs(limit, digits)}` };
}
