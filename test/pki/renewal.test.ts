import { expect, test } from "bun:test";
import fc from "fast-check";
import { renewAtMs } from "../../lib/pki/renewal.ts";

test("renewAtMs() is at two thirds of the life", () => {
  const day = 24 * 3600e3;
  expect(renewAtMs({ notBeforeMs: 0, notAfterMs: 90 * day })).toBe(60 * day);
});

test("renewAtMs() is a whole millisecond within the life", () => {
  const instant = fc.integer({ min: 0, max: 4e12 });
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      const [notBeforeMs, notAfterMs] = [Math.min(a, b), Math.max(a, b)];
      const atMs = renewAtMs({ notBeforeMs, notAfterMs });
      expect(Number.isInteger(atMs)).toBe(true);
      expect(atMs).toBeGreaterThanOrEqual(notBeforeMs);
      expect(atMs).toBeLessThanOrEqual(notAfterMs);
    }),
  );
});
