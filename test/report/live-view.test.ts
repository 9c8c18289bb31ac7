import { expect, test } from "bun:test";
import { formatView } from "../../lib/report/live-view.ts";
import { type AskedLoad, Progress, type ProgressState } from "../../lib/report/progress.ts";
import { formatProgressLine } from "../../lib/report/progress-line.ts";
import type { Account } from "../../lib/stats/account.ts";
import { expectGolden } from "./golden.ts";
import { snapshot } from "./snapshots.ts";

/** The state after so many seconds at 1,000/s, with a slow second each tenth, `account` over what is usual. */
function stateAfter(seconds: number, workers: number, account: (second: number, worker: number) => Partial<Account>) {
  const progress = new Progress(workers);
  const latencies: number[] = [];
  let state: ProgressState | undefined;
  for (let second = 1; second <= seconds; second++) {
    const slowness = second % 10 === 0 ? 20 : 1 + (second % 3) / 2;
    for (let n = 1; n <= 100; n++) latencies.push(200e3 * slowness * (1 + (n / 100) ** 8));
    const done = (second * 1000) / workers;
    const usual = { scheduled: done, sent: done, completed: done, statusCodes: { 200: done } };
    state = progress.take(
      Array.from({ length: workers }, (_, worker) =>
        snapshot(worker, second, { ...usual, ...account(second, worker) }, latencies),
      ),
    );
  }
  return state as ProgressState;
}

const constant: AskedLoad = { totalSeconds: 90, dueUntil: (seconds) => 1000 * seconds };
const ramp: AskedLoad = { totalSeconds: 90, dueUntil: (seconds) => 1000 * seconds + (1000 * seconds ** 2) / 90 / 2 };
const closedLoop: AskedLoad = { totalSeconds: 90, dueUntil: undefined };
const endless: AskedLoad = { totalSeconds: Number.POSITIVE_INFINITY, dueUntil: (seconds) => 1000 * seconds };

const failing = (second: number): Partial<Account> => ({
  completed: second * 900,
  failed: { refused: second * 60, unexpectedStatus: second * 10 },
  timedOut: second > 50 ? 30 : 0,
  statusCodes: { 200: second * 900, 503: second * 10 },
  unsent: second * 20,
});
const good = stateAfter(65, 1, () => ({}));
const bad = stateAfter(62, 1, failing);
const uneven = stateAfter(12, 3, (second, worker) => (worker === 1 ? { completed: second * 250 } : {}));
const first = stateAfter(1, 1, () => ({}));

const cases: [name: string, state: ProgressState, asked: AskedLoad, isStopping: boolean][] = [
  ["good", good, constant, false],
  ["errors", bad, constant, false],
  ["ramp", good, ramp, false],
  ["closed-loop", good, closedLoop, false],
  ["endless", good, endless, false],
  ["uneven-workers", uneven, constant, false],
  ["stopping", stateAfter(5, 1, () => ({ inFlight: 12 })), constant, true],
  ["over", stateAfter(92, 1, () => ({ inFlight: 12 })), constant, false],
  ["first-second", first, constant, false],
];

/** As on a terminal so wide, bad lines marked. */
function view(state: ProgressState, asked: AskedLoad, isStopping: boolean, columns: number): string {
  return formatView(state, asked, isStopping, columns)
    .map(({ text, isBad }) => `${isBad ? "!" : " "}${text}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

test.each(cases)("the live view, case %s", (name, state, asked, isStopping) => {
  expectGolden(`live-view-${name}.txt`, view(state, asked, isStopping, 79));
});

test.each([39, 119])("the live view in %p columns", (columns) => {
  expectGolden(`live-view-in-${columns}-columns.txt`, view(bad, constant, false, columns));
});

test("no line of the live view is wider than the terminal, however narrow", () => {
  for (const [, state, asked, isStopping] of cases) {
    for (let columns = 0; columns <= 150; columns++) {
      const lines = formatView(state, asked, isStopping, columns);
      expect(lines.filter(({ text }) => [...text].length > columns)).toEqual([]);
    }
  }
});

test("a second in one line says what went wrong in it", () => {
  const lines = cases.map(([, state, asked]) => `${formatProgressLine(state, asked)}\n`);
  expectGolden("progress-lines.txt", lines.join(""));
});
