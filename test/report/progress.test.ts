import { expect, test } from "bun:test";
import fc from "fast-check";
import { Progress } from "../../lib/report/progress.ts";
import { histogramBetween } from "../../lib/report/span.ts";
import { emptyAccount } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { snapshot } from "./snapshots.ts";

function histogramOf(valuesNs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const valueNs of valuesNs) histogram.record(valueNs);
  return histogram;
}

test("histogramBetween() is what was recorded in between", () => {
  const values = fc.array(fc.integer({ min: 0, max: 1e10 }), { maxLength: 50 });
  fc.assert(
    fc.property(values, values, (first, second) => {
      const between = histogramBetween(histogramOf(first), histogramOf([...first, ...second]));
      const direct = histogramOf(second);
      expect(between.counts).toEqual(direct.counts);
      expect(between.total).toBe(direct.total);
      expect(between.sumNs).toBe(direct.sumNs);
      expect(between.maxNs).toBeGreaterThanOrEqual(direct.maxNs);
      expect(between.maxNs).toBeLessThanOrEqual(direct.maxNs * (1 + 1 / 128) + 1);
    }),
  );
});

test("a state is made once all workers have said where they are", () => {
  const progress = new Progress(2);
  const first = [snapshot(0, 1.001, { completed: 10 }), snapshot(1, 1.002, { completed: 12 })];
  expect(progress.take(first.slice(0, 1))).toBeUndefined();
  expect(progress.take(first)?.soFar.account.completed).toBe(22);
  expect(progress.take(first)).toBeUndefined();
  const third = snapshot(0, 2.001, { completed: 20 });
  expect(progress.take([third, first[1] as typeof third])).toBeUndefined();
  const state = progress.take([snapshot(1, 2, { completed: 25 }), third]);
  expect(state?.workers.map(({ worker }) => worker)).toEqual([0, 1]);
  expect(state?.before.account.completed).toBe(22);
  expect(state?.completedPerSecond.map(Math.round)).toEqual([22, 23]);
});

test("a worker that says nothing more is waited for no longer than a second", () => {
  const progress = new Progress(2);
  const ended = snapshot(1, 1, { completed: 10 });
  expect(progress.take([snapshot(0, 1, {}), ended])).toBeDefined();
  expect(progress.take([snapshot(0, 2, {}), ended])).toBeUndefined();
  expect(progress.take([snapshot(0, 3, {}), ended])?.soFar.account.completed).toBe(10);
});

test("the latency of the last second is that of the responses in it", () => {
  const progress = new Progress(1);
  progress.take([snapshot(0, 1, emptyAccount(), [100e3, 200e3])]);
  const state = progress.take([snapshot(0, 2, emptyAccount(), [100e3, 200e3, 5e6])]);
  expect(state?.lastLatency.total).toBe(1);
  expect(Math.round((state?.lastLatency.quantileNs(0.5) ?? 0) / 1e5)).toBe(50);
  expect(state?.soFar.latency.total).toBe(3);
});

test("the past goes back a minute", () => {
  const progress = new Progress(1);
  let state = progress.take([snapshot(0, 1, { completed: 1 })]);
  for (let second = 2; second <= 100; second++) {
    state = progress.take([snapshot(0, second, { completed: (second * (second + 1)) / 2 })]);
  }
  expect(state?.completedPerSecond).toEqual(Array.from({ length: 60 }, (_, index) => 41 + index));
});
