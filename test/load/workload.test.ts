import { expect, test } from "bun:test";
import fc from "fast-check";
import { rateCurve, scheduleClockNs, scheduleEndNs } from "../../lib/load/planned-schedule.ts";
import type { Change, WorkerPlan } from "../../lib/load/worker-plan.ts";
import { Workload } from "../../lib/load/workload.ts";
import { backend, get, planFor } from "../driver/drive.ts";

const endless = Number.POSITIVE_INFINITY;

function plan(changes: Partial<WorkerPlan>): WorkerPlan {
  return planFor({ port: 80 }, { requestsPerSecond: 50, durationNs: 4e9, ...changes });
}

/** Sends all that is due until `untilNs`; returns when each was due. */
function walk(workload: Workload, untilNs: number): number[] {
  const instants: number[] = [];
  for (let nextNs = workload.nextNs(0); nextNs <= untilNs && nextNs < endless; nextNs = workload.nextNs(0)) {
    instants.push(nextNs);
    workload.advance();
  }
  return instants;
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

/** All instants of all workers' requests, by the curve alone. */
function wholeInstants(asked: WorkerPlan): number[] {
  const curve = rateCurve(asked);
  const total = Math.ceil(curve?.total ?? 0);
  return Array.from({ length: total }, (_, k) => curve?.instantNs(k) ?? endless).filter((atNs) => atNs < endless);
}

/** Changes one after the other, each going on where the schedule's clock is. */
const changes = fc
  .array(
    fc.record({
      gapNs: fc.integer({ min: 1, max: 2e9 }),
      isPaused: fc.boolean(),
      requestsPerSecond: fc.integer({ min: 1, max: 200 }),
      durationNs: fc.integer({ min: 1, max: 4e9 }),
    }),
    { maxLength: 4 },
  )
  .map((steps) => {
    const made: Change[] = [];
    let atNs = 0;
    for (const { gapNs, isPaused, ...rates } of steps) {
      atNs += gapNs;
      const clockNs = scheduleClockNs({ changes: made }, atNs);
      made.push({ atNs, clockNs, ...(isPaused ? { paused: true as const } : {}), ...rates });
    }
    return made;
  });

test("the shares of all workers are the whole before, at and after a change of their number, each request once", () => {
  const counts = fc.integer({ min: 1, max: 9 });
  const instant = fc.integer({ min: 1, max: 5e9 });
  fc.assert(
    fc.property(
      changes,
      counts,
      counts,
      instant,
      fc.nat(100),
      fc.nat(100),
      (made, before, after, joinNs, told, owed) => {
        const toldNs = (joinNs * told) / 101;
        const walkedNs = (toldNs * owed) / 101; // what is due in between is owed, and sent later
        const asked = plan({ changes: made });
        const next = (index: number) => ({ ...asked, worker: { index, count: after }, joinNs });
        const sent = Array.from({ length: Math.max(before, after) }, (_, index) => {
          if (index >= before) return walk(new Workload(next(index), 0, joinNs), endless);
          const workload = new Workload({ ...asked, worker: { index, count: before } }, 0);
          const early = walk(workload, walkedNs);
          if (index >= after) return [...early, ...walk(workload, joinNs)];
          workload.follow(next(index), toldNs);
          const all = [...early, ...walk(workload, endless)];
          expect(sum(workload.due(1e12))).toBe(all.length);
          return all;
        });
        expect(sent.flat().sort((a, b) => a - b)).toEqual(wholeInstants(asked));
      },
    ),
    { numRuns: 200 },
  );
});

test("what is due never exceeds what is sent, however late changes of rate, requests and backends come, and nothing bursts", () => {
  const late = fc.array(
    fc.record({
      atNs: fc.integer({ min: 0, max: 3e9 }),
      requestsPerSecond: fc.integer({ min: 1, max: 200 }),
      percent: fc.integer({ min: 0, max: 100 }),
      weight: fc.integer({ min: 0, max: 3 }),
      delayNs: fc.integer({ min: 0, max: 1e9 }),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(late, fc.constantFrom("Constant" as const, "Poisson" as const), (steps, arrivals) => {
      const ordered = steps.toSorted((a, b) => a.atNs + a.delayNs - b.atNs - b.delayNs);
      let asked = plan({ arrivals, backends: [backend("a", 50, 1), backend("b", 50, 2)] });
      const workloads = [0, 1].map((which) => new Workload(asked, which));
      const sent: number[][] = [[], []];
      let rates = 50;
      for (const { atNs, delayNs, percent, weight, requestsPerSecond } of ordered) {
        const nowNs = atNs + delayNs;
        const before = workloads.map((workload) => sum(workload.due(nowNs)));
        const made = [{ atNs, clockNs: atNs, requestsPerSecond, durationNs: 4e9 }];
        const backends = [backend("a", percent, 1), backend("b", 100 - percent, 2)];
        asked = { ...asked, changes: made, backends, requests: [...asked.requests, { ...get("/c"), weight }] };
        for (const workload of workloads) workload.follow(asked, nowNs);
        expect(workloads.map((workload) => sum(workload.due(nowNs)))).toEqual(before);
        rates = Math.max(rates, requestsPerSecond);
        for (const [which, workload] of workloads.entries()) sent[which]?.push(...walk(workload, nowNs));
        expect(sent.map(({ length }) => length)).toEqual(before);
      }
      for (const [which, workload] of workloads.entries()) {
        sent[which]?.push(...walk(workload, endless));
        expect(sum(workload.due(1e12))).toBe(sent[which]?.length as number);
        expect(sent[which]).toEqual(sent[which]?.toSorted((a, b) => a - b) as number[]);
      }
      const all = sent.flat().sort((a, b) => a - b);
      if (arrivals === "Poisson") return;
      const closest = Math.min(...all.slice(1).map((atNs, i) => atNs - (all[i] as number)));
      // Each switch may bring one request sooner after the last than the rate has it; never a second.
      const bursts = all.slice(1).filter((atNs, i) => atNs - (all[i] as number) < 1e9 / rates - 10).length;
      expect(closest).toBeGreaterThanOrEqual(0);
      expect(bursts).toBeLessThanOrEqual(ordered.length);
    }),
    { numRuns: 200 },
  );
});

test("a pause shifts all that comes after it, and no request is due in it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 1, max: 5e9 }), (atNs, lengthNs) => {
      const rates = { requestsPerSecond: 50, durationNs: 4e9 };
      const paused = plan({ changes: [{ atNs, clockNs: atNs, paused: true, ...rates }] });
      const resumed = plan({
        changes: [...(paused.changes ?? []), { atNs: atNs + lengthNs, clockNs: atNs, ...rates }],
      });
      const shifted = wholeInstants(plan({})).map((dueNs) => (dueNs < atNs ? dueNs : dueNs + lengthNs));
      const instants = walk(new Workload(resumed, 0), endless);
      expect(instants.length).toBe(shifted.length);
      for (const [k, dueNs] of instants.entries()) expect(Math.abs(dueNs - (shifted[k] as number))).toBeLessThan(1);
      expect(scheduleEndNs(paused)).toBe(endless);
      expect(scheduleEndNs(resumed)).toBe(4e9 + lengthNs);
      expect(new Workload(paused, 0).isExhausted(1e15)).toBe(false);
      expect(rateCurve(paused)?.countAt(1e15)).toBe(rateCurve(paused)?.countAt(atNs) as number);
      expect(scheduleClockNs(resumed, atNs + lengthNs / 2)).toBe(atNs);
      expect(scheduleClockNs(resumed, atNs + lengthNs + 7)).toBe(atNs + 7);
    }),
  );
});

test("a paused test that goes on past what was its end ends later, and one made shorter ends at once", () => {
  const change = { atNs: 6e9, clockNs: 1e9, requestsPerSecond: 50, durationNs: 2e9 };
  const pause = { atNs: 1e9, clockNs: 1e9, paused: true as const, requestsPerSecond: 50, durationNs: 4e9 };
  expect(scheduleEndNs(plan({ changes: [pause, change] }))).toBe(7e9);
  expect(scheduleEndNs(plan({ changes: [{ ...change, atNs: 3e9, clockNs: 3e9 }] }))).toBe(3e9);
  expect(scheduleEndNs(plan({ changes: [{ ...change, atNs: 5e9, clockNs: 5e9, durationNs: 9e9 }] }))).toBe(9e9);
});

test("a worker that joins knows nothing of what was due before", () => {
  const joined = new Workload(plan({ joinNs: 1e9 }), 0, 1e9);
  expect(joined.due(1e9)).toEqual([0, 0]);
  expect(joined.nextNs(0)).toBeGreaterThan(1e9);
  expect(sum(joined.due(4e9))).toBe(149);
});
