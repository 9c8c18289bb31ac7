// Markdown: tables, figures in them, and the place in a file that a report fills.
import { compareToBar, type MedianInterval } from "./statistics.ts";

/** A table whose first column is text and whose others are figures. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  const rule = header.map((_, column) => (column === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map(line).join("");
}

/** Three significant digits, or all digits before the point. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A share as a percentage. */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${formatFigure(share * 100)} %` : "–";
}

/** `1.03 (0.99–1.07), inconclusive`: the interval, and on which side of the bar it is in these words. */
export function formatRatio(ratio: MedianInterval, bar: number, words: { above: string; below: string }): string {
  if (!Number.isFinite(ratio.median)) return "–";
  const [median, low, high] = [ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(2));
  const side = compareToBar(ratio, bar);
  return `${median} (${low}–${high}), ${side === "inconclusive" ? side : words[side]}`;
}

/** How many runs the figures are of. */
export function formatRuns(runs: number): string {
  return runs === 1 ? "one run each" : `medians of ${runs} alternating runs`;
}

/** The text with what is between the markers of the benchmark replaced by `report`. Throws unless it has both, in order. */
export function replaceReport(text: string, report: string, name: "driver" | "controller"): string {
  const [beginMarker, endMarker] = [`<!-- bench:${name}:begin -->`, `<!-- bench:${name}:end -->`];
  const begin = text.indexOf(beginMarker);
  const end = text.indexOf(endMarker, begin);
  if (begin < 0 || end < 0) {
    throw new Error(`Cannot write the report: the file must have the lines ${beginMarker} and ${endMarker}`);
  }
  return `${text.slice(0, begin + beginMarker.length)}\n${report.trim()}\n${text.slice(end)}`;
}
