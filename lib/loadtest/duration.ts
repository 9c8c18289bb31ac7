// Durations as Go writes them ("90s", "1h30m", "1.5s"), which is how the Kubernetes API writes them.

const nsPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n, // U+00B5, micro sign
  μs: 1000n, // U+03BC, Greek mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
/** Of Go's int64, 292 years. */
const mostNs = 2n ** 63n - 1n;

/** One or more numbers, each with its unit; no sign. The same expression stands in the CRD. */
export const durationPattern = "^([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$";
const wholeDuration = new RegExp(durationPattern);
const durationPart = /([0-9]+)(?:\.([0-9]+))?(ns|us|µs|μs|ms|s|m|h)/g;

/** Nanoseconds of a duration such as `1h30m`; undefined when `text` is none, or longer than Go can say. */
export function parseDuration(text: string): number | undefined {
  const ns = durationNs(text);
  return ns === undefined ? undefined : Number(ns);
}

/** Exactly as Go has it, and with it CEL: what is less than a nanosecond is cut off, in each part. */
export function durationNs(text: string): bigint | undefined {
  if (!wholeDuration.test(text)) return undefined;
  let totalNs = 0n;
  for (const [, whole = "", fraction = "", name = ""] of text.matchAll(durationPart)) {
    const unitNs = nsPerUnit[name] as bigint;
    totalNs += BigInt(whole) * unitNs + fractionNs(fraction, Number(unitNs));
  }
  return totalNs > mostNs ? undefined : totalNs;
}

/** In Go's own floating-point steps; digits that its int64 cannot hold count for nothing. */
function fractionNs(digits: string, unitNs: number): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const longer = value * 10n + BigInt(digit);
    if (value > mostNs / 10n || longer > mostNs + 1n) break;
    value = longer;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (unitNs / scale)));
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
