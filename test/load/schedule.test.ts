import { expect, test } from "bun:test";
import fc from "fast-check";
import { countOfPath, pathOf, Schedule } from "../../lib/load/schedule.ts";

const rates = fc.integer({ min: 1, max: 1_000_000 });
const workers = fc.integer({ min: 1, max: 40 });
const durationsNs = fc.integer({ min: 1, max: 20e9 });

test("the shares of all workers add up to the whole", () => {
  fc.assert(
    fc.property(rates, workers, durationsNs, (rate, count, durationNs) => {
      const whole = new Schedule(rate, durationNs, { index: 0, count: 1 }).count;
      const shares = Array.from(
        { length: count },
        (_, index) => new Schedule(rate, durationNs, { index, count }).count,
      );
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(whole);
      expect(whole).toBe(Number((BigInt(rate) * BigInt(durationNs) + 999_999_999n) / 1_000_000_000n));
    }),
  );
});

test("the workers' instants, merged, are those of the global schedule", () => {
  fc.assert(
    fc.property(rates, workers, (rate, count) => {
      const merged = Array.from({ length: count * 3 }, (_, k) => {
        const schedule = new Schedule(rate, undefined, { index: k % count, count });
        return schedule.intendedNs(Math.floor(k / count));
      });
      expect(merged).toEqual(merged.map((_, k) => (k * 1e9) / rate));
    }),
  );
});

test("dueCount() counts exactly the requests whose instant has come", () => {
  fc.assert(
    fc.property(
      rates,
      workers,
      fc.nat(39),
      fc.nat(5000),
      fc.constantFrom(-1, 0, 1),
      (rate, count, index, j, beside) => {
        const schedule = new Schedule(rate, undefined, { index: index % count, count });
        const elapsedNs = schedule.intendedNs(j) + beside;
        const due = schedule.dueCount(elapsedNs);
        expect(schedule.intendedNs(due)).toBeGreaterThan(elapsedNs);
        if (due > 0) expect(schedule.intendedNs(due - 1)).toBeLessThanOrEqual(elapsedNs);
      },
    ),
  );
});

test("nothing is due before the start, and never more than the share", () => {
  const schedule = new Schedule(1000, 1e9, { index: 1, count: 3 });
  expect(schedule.dueCount(-1)).toBe(0);
  expect(schedule.dueCount(0)).toBe(0);
  expect(schedule.dueCount(1e6)).toBe(1);
  expect(schedule.dueCount(1e12)).toBe(333);
});

test("paths take their turn, beginning at the worker's index", () => {
  expect([0, 1, 2, 3].map((j) => pathOf(j, 1, 3))).toEqual([1, 2, 0, 1]);
});

test("countOfPath() counts what pathOf() gives out", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(40), fc.integer({ min: 1, max: 32 }), fc.nat(31), (count, index, paths, path) => {
      const given = Array.from({ length: count }, (_, j) => pathOf(j, index, paths));
      const wanted = path % paths;
      expect(countOfPath(wanted, count, index, paths)).toBe(given.filter((each) => each === wanted).length);
    }),
  );
});
