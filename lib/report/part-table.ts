// The parts of a load, such as its paths, side by side.
import type { Part } from "../stats/summary.ts";
import { errorRate } from "../stats/threshold.ts";
import { formatCount, formatPercent, formatUs, noFigure } from "./quantity.ts";

const countWidth = 13;
const valueWidth = 10;
/** A longer name would make the lines wider than 80 columns. */
const longestName = 80 - countWidth - 4 * valueWidth;

/** A head and a line for each part; nothing for a single one. */
export function partTable<P extends Part>(title: string, parts: readonly P[], nameOf: (part: P) => string): string[] {
  if (parts.length < 2) return [];
  const width = Math.min(longestName, Math.max(title.length, ...parts.map((part) => nameOf(part).length)));
  const line = (name: string, completed: string, values: readonly string[]) =>
    name.padEnd(width) + completed.padStart(countWidth) + values.map((value) => value.padStart(valueWidth)).join("");
  return [
    line(title, "completed", ["errors", "p50", "p99", "max"]),
    ...parts.map((part) => {
      const { p50, p99, max } = part.latencyUs;
      const name = nameOf(part);
      return line(name.length > width ? `${name.slice(0, width - 1)}…` : name, formatCount(part.completed), [
        formatPercent(errorRate(part)),
        ...[p50, p99, max].map((us) => (max === 0 ? noFigure : formatUs(us))),
      ]);
    }),
  ];
}

/** Of parts with equal shares of a load: one does notably better than another above these. */
const completedRatio = 1.1;
const p99Ratio = 2;
/** Shares differ by a request or two. */
const fewCompleted = 2;

export function areUneven(parts: readonly { completed: number; p99Us: number }[]): boolean {
  const completed = parts.map((part) => part.completed);
  const [least, most] = [Math.min(...completed), Math.max(...completed)];
  const p99Us = parts.map((part) => part.p99Us);
  const isSlower = Math.max(...p99Us) > Math.min(...p99Us) * p99Ratio;
  return parts.length > 1 && ((most > least * completedRatio && most > least + fewCompleted) || isSlower);
}
