// Durations as Go writes them ("90s", "1h30m", "1.5s"), which is how the Kubernetes API writes them.

const nsPerUnit: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5, micro sign
  μs: 1e3, // U+03BC, Greek mu
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** One or more numbers, each with its unit; no sign. The same expression stands in the CRD. */
export const durationPattern = "^([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$";
const wholeDuration = new RegExp(durationPattern);
const durationPart = /([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)/g;

/** Nanoseconds of a duration such as `1h30m`; undefined when `text` is none. */
export function parseDuration(text: string): number | undefined {
  if (!wholeDuration.test(text)) return undefined;
  let totalNs = 0;
  for (const [, amount, unit] of text.matchAll(durationPart)) {
    totalNs += Number(amount) * (nsPerUnit[unit as string] as number);
  }
  return Math.round(totalNs);
}

/** The shortest Go-style text for a number of nanoseconds that needs at most three decimals: `1h30m`, `2.5s`, `300µs`. */
export function formatDuration(durationNs: number): string {
  if (durationNs < 1e3) return durationNs === 0 ? "0s" : `${round(durationNs)}ns`;
  if (durationNs < 1e6) return `${round(durationNs / 1e3)}µs`;
  if (durationNs < 1e9) return `${round(durationNs / 1e6)}ms`;
  const hours = Math.floor(durationNs / 3600e9);
  const minutes = Math.floor((durationNs % 3600e9) / 60e9);
  const seconds = round((durationNs % 60e9) / 1e9);
  const parts = [hours && `${hours}h`, minutes && `${minutes}m`, seconds && `${seconds}s`];
  return parts.filter(Boolean).join("");
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
