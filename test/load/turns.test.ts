import { expect, test } from "bun:test";
import fc from "fast-check";
import { requestTurns } from "../../lib/load/planned-schedule.ts";
import { Turns } from "../../lib/load/turns.ts";
import { get, planFor } from "../driver/drive.ts";

test("equal weights take turns one after the other, from the start on", () => {
  const turns = new Turns([5, 5, 5], 1);
  expect([0, 1, 2, 3].map((n) => turns.at(n))).toEqual([1, 2, 0, 1]);
});

test("a heavy one is spread out, not bunched", () => {
  const turns = new Turns([3, 1], 0);
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((n) => turns.at(n))).toEqual([0, 0, 1, 0, 0, 0, 1, 0]);
});

const weights = fc
  .array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 })
  .filter((values) => values.some((value) => value > 0));

test("every cycle holds each exactly by its weight, and nobody is more than one turn off in between", () => {
  fc.assert(
    fc.property(weights, (values) => {
      const turns = new Turns(values, 0);
      const total = values.reduce((sum, value) => sum + value, 0);
      const seen = values.map(() => 0);
      for (let n = 0; n < turns.cycle.length; n++) {
        const who = turns.at(n);
        seen[who] = (seen[who] as number) + 1;
        values.forEach((value, i) => {
          expect(Math.abs((seen[i] as number) - ((n + 1) * value) / total)).toBeLessThan(1);
        });
      }
      expect(seen.map((count) => (count * total) / turns.cycle.length)).toEqual(values);
    }),
    { numRuns: 50 },
  );
});

test("counts() counts what at() gives out", () => {
  fc.assert(
    fc.property(weights, fc.nat(50), fc.nat(500), (values, start, n) => {
      const turns = new Turns(values, start);
      const given = Array.from({ length: n }, (_, turn) => turns.at(turn));
      expect(turns.counts(n)).toEqual(values.map((_, who) => given.filter((each) => each === who).length));
    }),
  );
});

test("whoever is owed most goes next, and of several the first", () => {
  fc.assert(
    fc.property(weights, (values) => {
      const { cycle } = new Turns(values, 0);
      const total = values.reduce((sum, value) => sum + value, 0);
      const owed = values.map(() => 0);
      for (const who of cycle) {
        for (const [i, value] of values.entries()) owed[i] = (owed[i] as number) + value;
        expect(who).toBe(owed.indexOf(Math.max(...owed)));
        owed[who] = (owed[who] as number) - total;
      }
    }),
  );
});

test("the turns of a plan are made once, and again only for other weights or another worker", () => {
  const weighted = (...weights: number[]) => weights.map((weight, index) => ({ ...get(`/${index}`), weight }));
  const plan = planFor({ port: 80 }, { requests: weighted(3, 1) });
  const turns = requestTurns(plan);
  expect(requestTurns(plan)).toBe(turns);
  const faster = { ...plan, requestsPerSecond: 2000, requests: weighted(3, 1) };
  expect(requestTurns(faster, turns)).toBe(turns);
  expect(requestTurns(faster)).toBe(turns);
  const said = (made: Turns) => [[0, 1, 2, 3].map((n) => made.at(n)), made.counts(3)];
  for (const next of [
    { ...plan, requests: weighted(1, 3) },
    { ...plan, requests: weighted(3, 1, 0) },
    { ...plan, worker: { index: 1, count: 2 } },
  ]) {
    const made = requestTurns(next, turns);
    expect(said(made)).toEqual(said(requestTurns(structuredClone(next))));
    expect(said(made)).not.toEqual(said(turns));
  }
});
