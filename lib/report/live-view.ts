// A running load on a terminal: where it stands, then a line for each measure with its last second and all so far.
import { type Account, emptyAccount } from "../stats/account.ts";
import { formatBar, formatSparkline } from "./bar.ts";
import { badCount, occurred, outcomeCount, shortWords } from "./failure.ts";
import { areUneven } from "./part-table.ts";
import { type AskedLoad, askedPerSecond, type ProgressState, type WorkerState } from "./progress.ts";
import { formatClock, formatCount, formatNumberOf, formatPercent, formatRate, formatUs, noFigure } from "./quantity.ts";

export interface ViewLine {
  text: string;
  /** It tells of errors. */
  isBad?: boolean;
}

const labelWidth = 15;
const valueWidth = 12;
const barWidth = 40;
const mostWorkers = 8;
/** Of those that became due within this time before a snapshot, some are always still unsent. */
const onTheirWaySeconds = 0.01;

/** The lines, each at most `columns` wide. */
export function formatView(state: ProgressState, asked: AskedLoad, isStopping: boolean, columns: number): ViewLine[] {
  const pictureWidth = columns - labelWidth - 2 * valueWidth - 3;
  const picture = (values: readonly number[]) => formatSparkline(values, pictureWidth);
  const lines: ViewLine[] = [
    { text: timeLine(state, asked, isStopping, columns) },
    { text: "" },
    row("", "last second", "so far", "last minute"),
    ...(isStopping ? [] : askedRow(state, asked)),
    rateRow("sent", state, ({ sent }) => sent),
    rateRow("completed", state, ({ completed }) => completed, picture(state.completedPerSecond)),
    latencyRow("p50", state, 0.5),
    latencyRow("p90", state, 0.9),
    latencyRow("p99", state, 0.99, picture(state.p99Us)),
    latencyRow("max", state, 1),
    ...errorRows(state),
    ...unsentRow(state, asked),
    ...workerRows(state.workers),
  ];
  return lines.map((line) => ({ ...line, text: [...line.text].slice(0, Math.max(0, columns)).join("") }));
}

/** How long it goes on, and what it waits for when nothing is sent any more. */
function timeLine({ soFar }: ProgressState, { totalSeconds }: AskedLoad, isStopping: boolean, columns: number): string {
  const { seconds, account } = soFar;
  const waiting = `waiting for ${formatNumberOf(account.inFlight, "response")}`;
  if (isStopping) return `stopping, ${waiting} (interrupt again to leave at once)`;
  if (seconds >= totalSeconds) return `schedule over, ${waiting}`;
  if (totalSeconds === Number.POSITIVE_INFINITY) return `${formatClock(seconds)}, until interrupted`;
  const leftSeconds = Math.round(totalSeconds) - Math.round(seconds);
  const words = `${formatClock(seconds)} of ${formatClock(totalSeconds)}, ${formatClock(leftSeconds)} left`;
  const width = Math.min(barWidth, columns - words.length - 2);
  return width < 4 ? words : `${formatBar(seconds / totalSeconds, width)}  ${words}`;
}

function row(label: string, last: string, soFar: string, picture = ""): ViewLine {
  return {
    text: `${label.padEnd(labelWidth)}${last.padStart(valueWidth)}${soFar.padStart(valueWidth)}   ${picture}`.trimEnd(),
  };
}

function askedRow({ soFar, before }: ProgressState, asked: AskedLoad): ViewLine[] {
  const last = askedPerSecond(asked, before.seconds, soFar.seconds);
  const all = askedPerSecond(asked, 0, soFar.seconds);
  return last === undefined || all === undefined ? [] : [row("asked", formatRate(last), formatRate(all))];
}

function rateRow(
  label: string,
  { soFar, before }: Pick<ProgressState, "soFar" | "before">,
  countOf: (account: Account) => number,
  picture?: string,
): ViewLine {
  const last = (countOf(soFar.account) - countOf(before.account)) / (soFar.seconds - before.seconds);
  return row(label, formatRate(last), formatRate(countOf(soFar.account) / soFar.seconds), picture);
}

function latencyRow(
  label: string,
  { lastLatency, soFar }: ProgressState,
  quantile: number,
  picture?: string,
): ViewLine {
  const [last, all] = [lastLatency, soFar.latency].map((histogram) =>
    histogram.total === 0 ? noFigure : formatUs(histogram.quantileNs(quantile) / 1e3),
  ) as [string, string];
  return row(label, last, all, picture);
}

/** The share of errors, then their numbers by kind; with unexpected status codes, all that came. */
function errorRows({ soFar, before }: ProgressState): ViewLine[] {
  const { account } = soFar;
  const share = row("errors", errorShare(account, before.account), errorShare(account, emptyAccount()));
  const countRow = (label: string, countOf: (account: Account) => number) => {
    const all = countOf(account);
    return row(label, formatCount(all - countOf(before.account)), formatCount(all));
  };
  const codes = account.failed.unexpectedStatus === undefined ? [] : Object.keys(account.statusCodes);
  return [
    { ...share, isBad: badCount(account) > 0 },
    ...occurred(account).map((kind) => ({
      ...countRow(`  ${shortWords[kind]}`, (part) => outcomeCount(part, kind)),
      isBad: true,
    })),
    ...codes.map((code) => countRow(`    ${code}`, ({ statusCodes }) => statusCodes[code] ?? 0)),
  ];
}

/** Of the requests whose outcome became known between two instants. */
function errorShare(now: Account, before: Account): string {
  const bad = badCount(now) - badCount(before);
  const known = bad + now.completed - before.completed;
  return known === 0 ? noFigure : formatPercent(bad / known);
}

/** Requests that are due and wait for a connection, or have done so for too long. The newest few are on their way. */
function unsentRow({ soFar, before }: ProgressState, { dueUntil }: AskedLoad): ViewLine[] {
  const { unsent, sent } = soFar.account;
  if (unsent === 0 && dueUntil === undefined) return [];
  const change = unsent - before.account.unsent;
  const isBad = unsent > (sent / soFar.seconds) * onTheirWaySeconds;
  return [{ ...row("due, unsent", `${change > 0 ? "+" : ""}${formatCount(change)}`, formatCount(unsent)), isBad }];
}

/** Where workers differ, those that completed least. */
function workerRows(workers: readonly WorkerState[]): ViewLine[] {
  const done = workers.map(({ soFar }) => ({
    completed: soFar.account.completed,
    p99Us: soFar.latency.quantileNs(0.99) / 1e3,
  }));
  if (!areUneven(done)) return [];
  return workers
    .toSorted((a, b) => a.soFar.account.completed - b.soFar.account.completed)
    .slice(0, mostWorkers)
    .map((state) => {
      const p99 = `p99 ${formatUs(state.soFar.latency.quantileNs(0.99) / 1e3)}`;
      return rateRow(`worker ${state.worker}`, state, ({ completed }) => completed, p99);
    });
}
