import { expect, test } from "bun:test";
import fc from "fast-check";
import { failureKinds } from "../../lib/stats/account.ts";
import { terminationMessageBytes } from "../../lib/stats/termination-message.ts";
import { formatWorkerFailure, parseWorkerFailure } from "../../lib/stats/worker-failure.ts";

test("a failure is read back as it was, within the bounds of a termination message", () => {
  const failures = fc.record({
    reason: fc.constantFrom(...failureKinds, "other" as const),
    message: fc.string({ maxLength: 2000, unit: "grapheme" }),
  });
  fc.assert(
    fc.property(failures, ({ reason, message }) => {
      const text = formatWorkerFailure({ reason, message });
      expect(Buffer.byteLength(text)).toBeLessThan(terminationMessageBytes);
      expect(parseWorkerFailure(text)).toEqual({ reason, message: message.slice(0, 500) });
    }),
  );
});

test.each(["", "Cannot connect", '{"kind":"failure"', '{"kind":"failure","reason":"boredom","message":""}', "{}"])(
  "%s is no failure that a worker wrote",
  (text) => {
    expect(parseWorkerFailure(text)).toBeUndefined();
  },
);
