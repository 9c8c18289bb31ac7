import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainText } from "../../lib/loadtest/plain-text.ts";

test("plainText() has no control characters, on one line", () => {
  expect(plainText("\u001b[2Jgone\r\n\tand\u0000 \u009b31mred\n")).toBe("[2Jgone and 31mred");
});

test("plainText() cuts by bytes between characters, and says so", () => {
  expect(plainText("€€€€", 12)).toBe("€€€€");
  expect(plainText("€€€€", 11)).toBe("€€…");
  expect(plainText("abcdef", 5)).toBe("ab…");
});

test("plainText() fits for every text, is well-formed, and does not change what it has made", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), fc.integer({ min: 3, max: 60 }), (text, mostBytes) => {
      const plain = plainText(text, mostBytes);
      expect(Buffer.byteLength(plain)).toBeLessThanOrEqual(mostBytes);
      expect(plain).not.toMatch(/\p{Cc}/u);
      expect(plain.isWellFormed()).toBe(true);
      expect(plainText(plain, mostBytes)).toBe(plain);
    }),
  );
});
