import { expect, test } from "bun:test";
import fc from "fast-check";
import { RateCurve } from "../../lib/load/rate-curve.ts";
import { ClosedLoop, OpenLoop } from "../../lib/load/schedule.ts";
import { EvenSequence, laneOf, PoissonSequence, type Share, wholeLane } from "../../lib/load/sequence.ts";
import { Turns } from "../../lib/load/turns.ts";

const rates = fc.integer({ min: 1, max: 1_000_000 });
const workers = fc.integer({ min: 1, max: 40 });
const durationsNs = fc.integer({ min: 1, max: 20e9 });

function even(curve: RateCurve, share: Share, lane = wholeLane): OpenLoop {
  return new OpenLoop(curve, new EvenSequence(share, lane));
}

/** All instants of a schedule. */
function instants(schedule: OpenLoop): number[] {
  const all: number[] = [];
  for (; schedule.nextNs() < Number.POSITIVE_INFINITY; schedule.advance()) all.push(schedule.nextNs());
  return all;
}

test("the shares of all workers add up to the whole", () => {
  fc.assert(
    fc.property(rates, workers, durationsNs, (rate, count, durationNs) => {
      const curve = RateCurve.constant(rate, durationNs);
      const shares = Array.from({ length: count }, (_, index) => even(curve, { index, count }).dueCount(durationNs));
      const whole = Number((BigInt(rate) * BigInt(durationNs) + 999_999_999n) / 1_000_000_000n);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(whole);
    }),
  );
});

test("the workers' instants, merged, are those of the global schedule", () => {
  fc.assert(
    fc.property(rates, workers, (rate, count) => {
      const schedules = Array.from({ length: count }, (_, index) => even(RateCurve.constant(rate), { index, count }));
      const merged = Array.from({ length: count * 3 }, (_, k) => {
        const schedule = schedules[k % count] as OpenLoop;
        const instantNs = schedule.nextNs();
        schedule.advance();
        return instantNs;
      });
      expect(merged).toEqual(merged.map((_, k) => (k * 1e9) / rate));
    }),
  );
});

test("skip() ends, however many requests are due", () => {
  const schedule = even(RateCurve.constant(1_000_000), { index: 0, count: 2 });
  schedule.skip(1e300);
  expect(schedule.index).toBeGreaterThan(2 ** 51);
});

test("dueCount() and skip() count exactly the requests whose instant has come", () => {
  fc.assert(
    fc.property(
      rates,
      workers,
      fc.nat(39),
      fc.nat(5000),
      fc.constantFrom(-1, 0, 1),
      (rate, count, index, j, beside) => {
        const share = { index: index % count, count };
        const elapsedNs = ((share.index + j * count) * 1e9) / rate + beside;
        const schedule = even(RateCurve.constant(rate), share);
        expect(schedule.dueCount(elapsedNs)).toBe(beside < 0 ? j : Math.max(j + 1, schedule.dueCount(elapsedNs)));
        schedule.skip(elapsedNs);
        expect(schedule.nextNs()).toBeGreaterThan(elapsedNs);
        const due = schedule.index;
        const before = new OpenLoop(RateCurve.constant(rate), new EvenSequence(share, wholeLane, Math.max(0, due - 1)));
        if (due > 0) expect(before.nextNs()).toBeLessThanOrEqual(elapsedNs);
      },
    ),
  );
});

test("nothing is due before the start, and never more than the share", () => {
  const schedule = even(RateCurve.constant(1000, 1e9), { index: 1, count: 3 });
  expect(schedule.dueCount(-1)).toBe(0);
  expect(schedule.dueCount(0)).toBe(0);
  expect(schedule.dueCount(1e6)).toBe(1);
  expect(schedule.dueCount(1e12)).toBe(333);
});

test("Poisson arrivals have exponential gaps of the worker's rate", () => {
  const share = { index: 2, count: 4 };
  const all = instants(new OpenLoop(RateCurve.constant(4000, 50e9), new PoissonSequence(share, wholeLane, 7)));
  const gaps = all.map((instantNs, i) => instantNs - (all[i - 1] ?? 0)).sort((a, b) => a - b);
  const n = gaps.length;
  // Kolmogorov–Smirnov against 1 - exp(-t/mean): the seed is fixed, so this passes always or never.
  const distance = gaps.reduce((most, gap, i) => Math.max(most, Math.abs(1 - Math.exp(-gap / 1e6) - (i + 0.5) / n)), 0);
  expect(Math.abs(n - 50_000)).toBeLessThan(3 * Math.sqrt(50_000));
  expect(distance).toBeLessThan(1.63 / Math.sqrt(n));
});

test("Poisson arrivals repeat with their seed, and differ between workers and seeds", () => {
  const of = (index: number, seed: number) =>
    instants(new OpenLoop(RateCurve.constant(100, 2e9), new PoissonSequence({ index, count: 2 }, wholeLane, seed)));
  expect(of(0, 1)).toEqual(of(0, 1));
  expect(of(0, 1)).not.toEqual(of(1, 1));
  expect(of(0, 1)).not.toEqual(of(0, 2));
});

test("Poisson arrivals are counted as they will be sent, and counting does not move them", () => {
  const schedule = new OpenLoop(
    RateCurve.constant(500, 10e9),
    new PoissonSequence({ index: 0, count: 1 }, wholeLane, 3),
  );
  const due = [1e9, 5e9, 20e9].map((elapsedNs) => schedule.dueCount(elapsedNs));
  const all = instants(schedule);
  expect(due).toEqual([1e9, 5e9, 20e9].map((elapsedNs) => all.filter((instantNs) => instantNs <= elapsedNs).length));
});

const percents = fc
  .array(fc.integer({ min: 0, max: 99 }), { minLength: 0, maxLength: 5 })
  .map((cuts) => [0, ...cuts.sort((a, b) => a - b), 100])
  .map((edges) => edges.slice(1).map((edge, i) => edge - (edges[i] as number)));

test("backends share out every request of a worker once, exactly by percent in each hundred", () => {
  fc.assert(
    fc.property(percents, fc.nat(300), fc.boolean(), (weights, index, isPoisson) => {
      const turns = new Turns(weights, index);
      const share = { index, count: 301 };
      const whole = isPoisson ? new PoissonSequence(share, wholeLane, 5) : new EvenSequence(share, wholeLane);
      const expected = Array.from({ length: 200 }, () => {
        const { position } = whole;
        whole.advance();
        return position;
      });
      const positions = weights.map((percent, which) => {
        if (percent === 0) return [];
        const lane = laneOf(turns, which);
        const sequence = isPoisson ? new PoissonSequence(share, lane, 5) : new EvenSequence(share, lane);
        return Array.from({ length: 2 * percent }, () => {
          const { position } = sequence;
          sequence.advance();
          return position;
        });
      });
      expect(positions.flat().sort((a, b) => a - b)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test("a lane's walk beyond a position is the same as one step after the other", () => {
  fc.assert(
    fc.property(
      percents,
      workers,
      fc.nat(39),
      fc.integer({ min: -1, max: 20_000 }),
      (weights, count, index, position) => {
        const share = { index: index % count, count };
        const turns = new Turns(weights, share.index);
        weights.forEach((percent, which) => {
          if (percent === 0) return;
          const jump = new EvenSequence(share, laneOf(turns, which));
          const walk = new EvenSequence(share, laneOf(turns, which));
          jump.advanceBeyond(position);
          while (walk.position <= position) walk.advance();
          expect([jump.index, jump.position]).toEqual([walk.index, walk.position]);
        });
      },
    ),
    { numRuns: 100 },
  );
});

test("a closed loop is always due, until its end", () => {
  const schedule = new ClosedLoop(1e9);
  expect(schedule.nextNs(5)).toBe(5);
  schedule.advance();
  expect(schedule.dueCount()).toBe(1);
  expect(schedule.nextNs(1e9)).toBe(Number.POSITIVE_INFINITY);
});
