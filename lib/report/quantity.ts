// Numbers with their units, as people read them.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** In place of a figure that nothing was measured for. */
export const noFigure = "–";

/** `12,345`. */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** `1 probe`, `12,345 probes`. */
export function formatNumberOf(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `12,345/s`, below 100 with a tenth. */
export function formatRate(perSecond: number): string {
  return `${(perSecond < 100 ? tenths : whole).format(perSecond)}/s`;
}

/** `12.3 ms`, of microseconds: three digits, as histograms hold no more; in at most eight columns. */
export function formatUs(us: number, digits = 3): string {
  if (us === 0) return "0 µs";
  if (us < 999.5) return `${us.toPrecision(digits)} µs`;
  if (us < 999_500) return `${(us / 1e3).toPrecision(digits)} ms`;
  return `${us < 999_500_000 ? (us / 1e6).toPrecision(digits) : Math.round(us / 1e6)} s`;
}

/** `0.1 %`, of a share from 0 to 1, with as many digits as tell it from 0 and from 1. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  const fromEnd = Math.min(percent, 100 - percent);
  const digits = fromEnd <= 0 ? 0 : Math.min(9, Math.max(1, 1 - Math.floor(Math.log10(fromEnd))));
  return `${Number(percent.toFixed(digits))} %`;
}

/** `1.23 MB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const rounded = bytes < 1000 ? bytes : Number(bytes.toPrecision(3)); // 999,999 B are 1.00 MB
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, rounded)) / 3));
  const value = rounded / 1000 ** power;
  return `${power === 0 || value >= 1000 ? value : value.toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

/** `1h5m30s`, as durations are given, in whole seconds. */
export function formatClock(seconds: number): string {
  const total = Math.round(seconds);
  const parts = [`${Math.floor(total / 3600)}h`, `${Math.floor(total / 60) % 60}m`, `${total % 60}s`];
  return parts.slice(total < 60 ? 2 : total < 3600 ? 1 : 0).join("");
}
