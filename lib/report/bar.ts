// Small pictures out of block characters: a share of a whole, and a value over time.

const levels = "▁▂▃▄▅▆▇█";
const eighths = " ▏▎▍▌▋▊▉";

/** A bar of `width` columns, filled for a share from 0 to 1. */
export function formatBar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const full = "█".repeat(Math.floor(filled / 8));
  const part = filled % 8 === 0 ? "" : eighths[filled % 8];
  return `${full}${part}`.padEnd(width, "░");
}

/** The last `width` values at most, one column each, from 0 at the foot to their highest at the top. */
export function formatSparkline(values: readonly number[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const highest = Math.max(...shown);
  return shown.map((value) => levels[highest > 0 ? Math.round((value / highest) * 7) : 0]).join("");
}
