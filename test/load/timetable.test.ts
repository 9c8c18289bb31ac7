import { expect, test } from "bun:test";
import fc from "fast-check";
import { beforeStartNs } from "../../lib/load/planned-schedule.ts";
import { Timetable } from "../../lib/load/timetable.ts";
import type { PlannedBackend, WorkerPlan } from "../../lib/load/worker-plan.ts";
import { backend, planFor } from "../driver/drive.ts";

const endless = Number.POSITIVE_INFINITY;
const startNs = 7e9;

/** 200 requests in 4 s, every 20 ms. */
function plan(changes: Partial<WorkerPlan> = {}): WorkerPlan {
  return planFor({ port: 80 }, { requestsPerSecond: 50, durationNs: 4e9, ...changes });
}

function begun(changes: Partial<WorkerPlan> = {}, afterNs = beforeStartNs, lostUntilNs = beforeStartNs): Timetable {
  const timetable = new Timetable(plan(changes), 0);
  timetable.begin(startNs, afterNs, lostUntilNs);
  return timetable;
}

/** Takes all that is due by `nowNs`; returns how many that are. */
function take(timetable: Timetable, nowNs: number): number {
  let taken = 0;
  for (; timetable.waitedNs(nowNs) >= 0; taken++) timetable.advance();
  return taken;
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

test("nothing is due before the start is known, nor before it has come, also in a closed loop", () => {
  for (const requestsPerSecond of [50, "max"] as const) {
    const timetable = new Timetable(plan({ requestsPerSecond }), 0);
    expect(timetable.waitedNs(1e15)).toBe(-endless);
    expect(timetable.elapsedNs(1e15)).toBe(-endless);
    timetable.begin(startNs, beforeStartNs, beforeStartNs);
    expect(timetable.waitedNs(startNs - 1)).toBeLessThan(0);
    expect(timetable.waitedNs(startNs)).toBe(0);
  }
});

test("each request is due at its instant after the start, and waits from then on until it is taken", () => {
  const timetable = begun();
  timetable.advance();
  expect(timetable.request).toBe(1);
  expect(timetable.nextNs(0)).toBe(20e6);
  expect(timetable.nextAtNs(startNs)).toBe(startNs + 20e6);
  expect([-1, 0, 3e9].map((lateNs) => timetable.waitedNs(startNs + 20e6 + lateNs))).toEqual([-1, 0, 3e9]);
});

test("in a closed loop a request is due whenever it is asked for, until the end", () => {
  const timetable = begun({ requestsPerSecond: "max" });
  expect([0, 5, 4e9].map((elapsedNs) => timetable.nextAtNs(startNs + elapsedNs))).toEqual([
    startNs,
    startNs + 5,
    endless,
  ]);
});

test("a start in mid-schedule skips what was due by then, counts it apart, and knows nothing of what was due earlier", () => {
  const timetable = begun({}, 1e9, 2.5e9);
  expect(timetable.skipped).toEqual([37, 38]); // those due after 1 s and until 2.5 s
  expect(timetable.due(2.5e9)).toEqual([37, 38]);
  expect(timetable.nextNs(2.5e9)).toBe(2.52e9);
  expect(sum(timetable.due(1e12))).toBe(149);
});

test("what is skipped and what is taken is what was due, whenever it began and was stopped", () => {
  const instant = fc.integer({ min: -1, max: 5e9 });
  fc.assert(
    fc.property(
      fc.constantFrom("Constant" as const, "Poisson" as const),
      instant,
      instant,
      instant,
      (arrivals, afterNs, lostUntilNs, stoppedNs) => {
        const timetable = begun({ arrivals }, afterNs, lostUntilNs);
        const before = take(timetable, startNs + stoppedNs);
        timetable.stop(stoppedNs + 1); // which is after all that is due at `stoppedNs`
        expect(take(timetable, startNs + 1e12)).toBe(0);
        if (stoppedNs >= lostUntilNs) expect(sum(timetable.skipped) + before).toBe(sum(timetable.due(stoppedNs)));
        else expect(before).toBe(0);
      },
    ),
  );
});

test("from a stop on nothing is due, also of what is owed; an earlier stop holds, a later one changes nothing", () => {
  for (const requestsPerSecond of [50, "max"] as const) {
    const timetable = begun({ requestsPerSecond });
    timetable.stop(2e9);
    timetable.stop(3e9);
    expect(timetable.waitedNs(startNs + 2e9 - 1)).toBeGreaterThanOrEqual(0);
    expect(timetable.waitedNs(startNs + 2e9)).toBe(-endless);
    expect([2e9, 2e9 + 1].map((elapsedNs) => timetable.isExhausted(elapsedNs))).toEqual([false, true]);
    timetable.stop(1e9);
    expect(timetable.waitedNs(startNs + 1e9)).toBe(-endless);
    expect(timetable.isExhausted(1e9 + 1)).toBe(true);
  }
});

test("what a stop came before was never due", () => {
  const timetable = begun();
  timetable.stop(1e9);
  expect(timetable.due(0.5e9)).toEqual([13, 13]);
  expect(timetable.due(4e9)).toEqual([26, 25]);
});

test("requests are due until the end of the schedule, or of a plan that followed, or until the stop if that is sooner", () => {
  const timetable = new Timetable(plan(), 0);
  expect(timetable.endsAtNs).toBe(endless);
  timetable.begin(startNs, beforeStartNs, beforeStartNs);
  expect(timetable.endsAtNs).toBe(startNs + 4e9);
  timetable.follow(plan({ durationNs: 9e9 }), 1e9);
  expect(timetable.endsAtNs).toBe(startNs + 9e9);
  timetable.stop(3e9);
  expect(timetable.endsAtNs).toBe(startNs + 3e9);
  timetable.follow(plan({ durationNs: 5e9 }), 3e9);
  expect(timetable.endsAtNs).toBe(startNs + 3e9);
  const { durationNs: _, ...unbounded } = plan();
  timetable.follow(unbounded, 3e9);
  expect(timetable.endsAtNs).toBe(startNs + 3e9);
  expect(timetable.isExhausted(3e9 + 1)).toBe(true);
});

test("requests are due until the end of the schedule also where a backend gets none of them any more", () => {
  for (const requestsPerSecond of [50, "max"] as const) {
    const timetable = begun({ requestsPerSecond });
    const [web] = plan().backends as [PlannedBackend];
    timetable.follow(plan({ requestsPerSecond, backends: [{ ...web, percent: 0 }, backend("next", 100, 80)] }), 1e9);
    expect(timetable.endsAtNs).toBe(startNs + 4e9);
  }
});

test("it is not exhausted at its end as long as a request is owed", () => {
  const timetable = begun();
  expect(timetable.isExhausted(5e9)).toBe(false);
  expect(take(timetable, startNs + 5e9)).toBe(200);
  expect(timetable.isExhausted(4e9 - 1)).toBe(false);
  expect(timetable.isExhausted(4e9)).toBe(true);
});

test("a plan that is followed before the start is the one that begins", () => {
  const timetable = new Timetable(plan(), 0);
  timetable.follow(plan({ worker: { index: 1, count: 4 } }), beforeStartNs);
  timetable.begin(startNs, beforeStartNs, beforeStartNs);
  expect(timetable.nextAtNs(startNs)).toBe(startNs + 20e6);
  expect(sum(timetable.due(1e12))).toBe(50);
});
