// A second of a running load in one line, for logs.
import { badCount, occurred, outcomeCount, words } from "./failure.ts";
import { type AskedLoad, askedPerSecond, type ProgressState } from "./progress.ts";
import { formatClock, formatCount, formatRate, formatUs } from "./quantity.ts";

/** ` 4s of 10s   1,000/s completed   p50 212 µs   p99 1.20 ms   max 1.31 ms`, and what goes wrong. */
export function formatProgressLine(state: ProgressState, asked: AskedLoad): string {
  const { soFar, before, lastLatency } = state;
  const { account, seconds } = soFar;
  const rate = askedPerSecond(asked, before.seconds, seconds);
  const completed = (account.completed - before.account.completed) / (seconds - before.seconds);
  const us = (quantile: number) => formatUs(lastLatency.quantileNs(quantile) / 1e3);
  const bad = badCount(account) - badCount(before.account);
  const kinds = occurred(account)
    .map((kind) => ({ kind, count: outcomeCount(account, kind) - outcomeCount(before.account, kind) }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${formatCount(count)} ${words[kind]}`);
  return [
    timeOf(seconds, asked),
    `${formatRate(completed)}${rate === undefined ? "" : ` of ${formatRate(rate)}`} completed`,
    ...(lastLatency.total === 0 ? [] : [`p50 ${us(0.5)}`, `p99 ${us(0.99)}`, `max ${us(1)}`]),
    ...(bad === 0 ? [] : [`${formatCount(bad)} errors: ${kinds.join(", ")}`]),
    ...(account.unsent === 0 ? [] : [`${formatCount(account.unsent)} unsent`]),
  ].join("   ");
}

/** ` 4s of 10s`; the wait for the last responses may take longer than that. */
function timeOf(seconds: number, { totalSeconds }: AskedLoad): string {
  if (totalSeconds === Number.POSITIVE_INFINITY) return formatClock(seconds).padStart(3);
  const total = formatClock(totalSeconds);
  const time = formatClock(seconds).padStart(Math.max(3, total.length));
  return Math.round(seconds) > Math.round(totalSeconds) ? `${time}, schedule over` : `${time} of ${total}`;
}
