import { expect, test } from "bun:test";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { measurementOf } from "../../lib/plan/results.ts";
import { displayOf, passedFinding } from "../../lib/plan/verdict.ts";
import { testDetail } from "../../lib/report/test-detail.ts";
import { testRow, testTable } from "../../lib/report/test-table.ts";
import { loadTest, succeeded, workerPods } from "../plan/finished-pods.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { expectGolden } from "./golden.ts";

const nowMs = Date.UTC(2030, 0, 1, 0, 1, 30);
const lastTransitionTime = "2030-01-01T00:00:10Z";

function named(name: string, status?: LoadTestStatus): LoadTest {
  const test = loadTest({ thresholds: { latency: { p99: "1500us" }, errorRate: "1%" } });
  return { ...test, metadata: { ...test.metadata, name }, ...(status === undefined ? {} : { status }) };
}

function condition(type: string, status: "True" | "False" | "Unknown", reason: string, message: string) {
  return { type, status, reason, message, lastTransitionTime, observedGeneration: 1 };
}

const running = named("running", {
  phase: "Running",
  workers: { desired: 2, ready: 2 },
  startTime: "2030-01-01T00:00:10Z",
  display: { rps: "998", errors: "0.1%", p99: "12.3ms" },
  conditions: [
    condition("Accepted", "True", "Valid", "The LoadTest is well-formed and within the limits."),
    condition("RateAchieved", "True", "RateKept", "What is due is sent."),
    condition("Passed", "Unknown", "InProgress", "The load has not ended."),
  ],
});

function finished(): LoadTest {
  const test = named("finished");
  const pods = workerPods(test).map((pod) => succeeded(pod, workerRecording(0, [[completed(Array(2000).fill(2e6))]])));
  const measurement = measurementOf(pods, [
    { name: "p99", value: 1.5e6 },
    { name: "errorRate", value: 0.01 },
  ]);
  const results = measurement?.results as NonNullable<LoadTestStatus["results"]>;
  return named("finished", {
    phase: "Finished",
    workers: { desired: 0, ready: 0 },
    startTime: "2030-01-01T00:00:10Z",
    completionTime: "2030-01-01T00:00:12Z",
    display: displayOf(results),
    results,
    conditions: [
      condition("Complete", "True", "WorkersFinished", "Every worker has ended its schedule."),
      { ...condition("Passed", "False", "", ""), ...passedFinding(measurement) },
    ],
  });
}

test("LoadTests are a line each, columns under each other, with namespaces where they differ", () => {
  const rows = [running, finished(), named("new")].map((each) => testRow(each, nowMs));
  const texts = [testTable(rows, false), testTable(rows, true), testTable([], false)];
  expectGolden("test-table.txt", `${texts.map((lines) => lines.join("\n")).join("\n\n")}\n`);
});

test.each([
  ["running", running],
  ["finished", finished()],
  ["new", named("new")],
])("one that is %s is shown whole", (name, each) => {
  expectGolden(`test-detail-${name}.txt`, `${testDetail(each, "finished-0f3a92bc", nowMs).join("\n")}\n`);
});

test("lines that come one by one stand under the head, whatever figures they have", () => {
  const [head, first] = testTable([testRow(named("a"), nowMs)], false, true);
  const [, second] = testTable(
    [testRow({ ...running, metadata: { ...running.metadata, name: "a" } }, nowMs)],
    false,
    true,
  );
  expect(first?.indexOf("1m30s")).toBe(head?.indexOf("AGE") as number);
  expect(second?.indexOf("1m30s")).toBe(head?.indexOf("AGE") as number);
  expect(second?.indexOf("12.3ms")).toBe(head?.indexOf("P99") as number);
});
