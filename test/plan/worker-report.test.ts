import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ContainerState, Observed, Pod } from "../../lib/plan/objects.ts";
import { reportPeriodMs, reportsWanted } from "../../lib/plan/reports-wanted.ts";
import { parseWorkerReport } from "../../lib/plan/worker-report.ts";
import { emptyAccount } from "../../lib/stats/account.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { formatLine, resultLines, type SnapshotLine } from "../../lib/stats/line.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { ended, loadTest, succeeded, workerPods } from "./finished-pods.ts";

const snapshot = (elapsedSeconds: number, count = 10): SnapshotLine => {
  const { account, latency } = completed(Array(count).fill(1e6));
  const startedAtMs = Date.UTC(2030, 0, 1);
  const plan = "0123abcd";
  return { kind: "snapshot", worker: 0, plan, startedAtMs, elapsedSeconds, account, latency: encodeHistogram(latency) };
};
const planned = (line: object, plan: string) => formatLine({ ...line, plan });

test("a report is the newest line, the snapshot the newest of its kind, and recent are all of those", () => {
  const [first, second] = [snapshot(1), snapshot(2)];
  const log = planned({ kind: "ready", worker: 0 }, "00000000") + formatLine(first) + formatLine(second);
  expect(parseWorkerReport(log)).toEqual({
    plan: "0123abcd",
    snapshot: second,
    recent: [first, second],
  });
  expect(parseWorkerReport(planned({ kind: "ready", worker: 3 }, "0123abcd"))).toEqual({ plan: "0123abcd" });
  expect(parseWorkerReport(formatLine(first) + planned({ kind: "ready", worker: 0 }, "89abcdef"))).toMatchObject({
    plan: "89abcdef",
    snapshot: first,
  });
});

test("what a worker says at its end, and what others write, is passed over", () => {
  const line = snapshot(1);
  const result = resultLines(workerRecording(0, [[completed([1e6])]]))
    .map(formatLine)
    .join("");
  for (const junk of [
    "",
    "\n\n",
    "panic: out of memory\n",
    result,
    '{"kind":"snapshot"}\n',
    '{"kind":"ready","worker":-1}\n',
    '{"kind":"ready","worker":0,"plan":"../../etc"}\n',
    planned(line, "not a hash"),
    formatLine({ ...line, account: { ...line.account, completed: 9 } }),
    formatLine({ ...line, account: { ...emptyAccount(), scheduled: 1, lost: 1 } }),
    formatLine({ ...line, latency: "AAAA" }),
    formatLine({ ...line, elapsedSeconds: null }),
    formatLine({ ...line, elapsedSeconds: 1e300 }),
    formatLine({ ...line, startedAtMs: 1e300 }),
    formatLine({ ...line, startedAtMs: -1 }),
    formatLine({ ...line, account: { ...line.account, bytesSent: 1e300 } }),
    formatLine({ ...line, account: { ...emptyAccount(), scheduled: 1e300, completed: 1e300 } }),
  ]) {
    expect(parseWorkerReport(junk)).toBeUndefined();
    expect(parseWorkerReport(`${formatLine(line)}${junk}`)).toMatchObject({ snapshot: line });
  }
});

test("wherever a log is cut, its whole lines are read, and whatever it holds never throws", () => {
  const lines = [1, 2, 3].map((seconds) => planned(snapshot(seconds), "0123abcd"));
  const log = lines.join("");
  fc.assert(
    fc.property(fc.nat(log.length), fc.nat(log.length), (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const cut = log.slice(from, to);
      const starts = lines.map((_, index) => lines.slice(0, index).join("").length);
      const whole = lines.filter(
        (line, i) => (starts[i] as number) >= from && (starts[i] as number) + line.length - 1 <= to,
      );
      expect(parseWorkerReport(cut)?.recent?.length ?? 0).toBe(whole.length);
    }),
  );
  const words = fc.constantFrom(
    '{"kind":"snapshot"',
    '{"kind":"ready"',
    ',"worker":',
    "0",
    '"account":{}',
    "}",
    "\n",
    "é",
  );
  fc.assert(fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => void parseWorkerReport(parts.join(""))));
});

const nowMs = Date.UTC(2030, 0, 1);
const inState = (pod: Observed<Pod>, state: ContainerState): Observed<Pod> => ({
  ...pod,
  status: { phase: "Running", containerStatuses: [{ name: "worker", ready: true, restartCount: 0, state }] },
});
const running = (workers: number) =>
  workerPods(loadTest({ workers })).map((pod) => inState(pod, { running: { startedAt: "2030-01-01T00:00:00Z" } }));

test.each([
  [1, 5000],
  [32, 5000],
  [64, 10_000],
  [500, 78_125],
])("the logs of %d workers are read every %d ms", (workers, periodMs) => {
  expect(reportPeriodMs(workers)).toBe(periodMs);
  const pods = running(workers);
  expect(reportsWanted(pods, nowMs, nowMs - periodMs + 1)).toEqual([]);
  expect(reportsWanted(pods, nowMs, nowMs - periodMs).map(({ pod }) => pod)).toEqual(pods);
  expect(reportsWanted(pods, nowMs, undefined).length).toBe(workers);
});

test("a wall clock that was set back holds up no reading", () => {
  const pods = running(1);
  expect(reportsWanted(pods, nowMs, nowMs + 3_600_000).map(({ pod }) => pod)).toEqual(pods);
});

test("read are those who run, and those who have ended without a result, once all have ended at any time", () => {
  const [first, second, third] = running(3) as [Observed<Pod>, Observed<Pod>, Observed<Pod>];
  const waiting = inState(first, { waiting: { reason: "ContainerCreating" } });
  const told = succeeded(second, workerRecording(1, [[completed([1e6])]]));
  const silent = ended(third, "Failed");
  const namesOf = (pods: Observed<Pod>[], readAtMs: number) =>
    reportsWanted(pods, nowMs, readAtMs).map(({ pod }) => pod);
  expect(namesOf([waiting, told, silent], 0)).toEqual([silent]);
  const going = { ...first, metadata: { ...first.metadata, deletionTimestamp: "2030-01-01T00:00:01Z" } };
  expect(namesOf([going], 0)).toEqual([going]);
  expect(namesOf([waiting, told, silent], nowMs)).toEqual([]);
  expect(namesOf([told, silent], nowMs)).toEqual([silent]);
});

test("every second since an instant is read in so many lines, to a limit, what ended workers say behind them too", () => {
  const [pod] = running(1) as [Observed<Pod>];
  const linesSince = (seconds: number, of = pod) =>
    reportsWanted([of], nowMs, undefined, nowMs - seconds * 1000)[0]?.tailLines;
  expect(reportsWanted([pod], nowMs, undefined)[0]?.tailLines).toBe(6);
  expect([0, 1, 29.5, 3600].map((seconds) => linesSince(seconds))).toEqual([6, 7, 36, 64]);
  expect(linesSince(3, succeeded(pod, workerRecording(0, [[completed([1e6])]])))).toBe(9 + 7);
});
