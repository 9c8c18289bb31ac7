import { expect, test } from "bun:test";
import fc from "fast-check";
import { rateCurve } from "../../lib/load/planned-schedule.ts";
import { noticeNs, type Timeline, timelineTowards, withoutOldestChange } from "../../lib/plan/timeline.ts";

const rate = fc.integer({ min: 1, max: 50_000 });
const rates = fc.oneof(
  fc.record({ requestsPerSecond: rate }),
  fc.record({ requestsPerSecond: rate, durationNs: fc.integer({ min: 1e9, max: 1e12 }) }),
  fc.record({
    requestsPerSecond: rate,
    stages: fc.array(fc.record({ durationNs: fc.integer({ min: 1e9, max: 1e11 }), requestsPerSecond: rate }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
);
const edit = fc.record({
  rates,
  isPaused: fc.boolean(),
  afterNs: fc.integer({ min: 0, max: 3e10 }),
});

/** The timeline of these edits, and when the last was made. */
function edited(edits: readonly { rates: Timeline; isPaused: boolean; afterNs: number }[]): Timeline {
  let sinceStartNs = 0;
  let timeline: Timeline | undefined;
  for (const { rates: wanted, isPaused, afterNs } of edits) {
    timeline = timelineTowards(timeline, { ...wanted, isPaused }, sinceStartNs + noticeNs);
    sinceStartNs += afterNs;
  }
  return timeline as Timeline;
}

test("who forgets the oldest change knows what is due from the next one on", () => {
  fc.assert(
    fc.property(fc.array(edit, { minLength: 3, maxLength: 12 }), fc.nat(1e12), (edits, laterNs) => {
      const known = edited(edits);
      fc.pre((known.changes?.length ?? 0) >= 2);
      const [whole, rest] = [known, withoutOldestChange(withoutOldestChange(known))].map((one) => rateCurve(one));
      const fromNs = known.changes?.at(2)?.atNs ?? known.changes?.at(1)?.atNs ?? 0;
      const endNs = (curve = whole) => Math.max(curve?.endNs ?? Number.NaN, fromNs); // it may have been over before
      expect(endNs(rest)).toBe(endNs(whole));
      for (const atNs of [fromNs, fromNs + laterNs]) {
        const due = whole?.countAt(atNs) ?? Number.NaN;
        expect(Math.abs((rest?.countAt(atNs) ?? Number.NaN) - due)).toBeLessThanOrEqual(1e-6 + due * 1e-12);
      }
    }),
  );
});

test("a hundred changes are kept at most", () => {
  const edits = Array.from({ length: 300 }, (_, at) => ({
    rates: { requestsPerSecond: 1 + (at % 2) },
    isPaused: false,
    afterNs: 10e9,
  }));
  const timeline = edited(edits);
  expect(timeline.changes).toHaveLength(100);
  // The change of edit n comes a second after it: one second at 1/s, and from then on 2/s and 1/s for 10 s by turns.
  const dueCount = 11 + 149 * 30;
  expect(rateCurve(timeline)?.countAt((10 * 299 + 1) * 1e9)).toBeCloseTo(dueCount, 6);
});
