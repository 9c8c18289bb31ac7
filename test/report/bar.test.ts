import { expect, test } from "bun:test";
import { formatBar, formatSparkline } from "../../lib/report/bar.ts";

test.each([
  [0, "░░░░"],
  [1 / 32, "▏░░░"],
  [0.5, "██░░"],
  [0.99, "████"],
  [7, "████"],
])("formatBar(%p) is %s", (share, text) => {
  expect(formatBar(share, 4)).toBe(text);
});

test("a sparkline is the newest values, from 0 to the highest of them", () => {
  expect(formatSparkline([100, 0, 4, 8], 3)).toBe("▁▅█");
  expect(formatSparkline([0, 0], 60)).toBe("▁▁");
  expect(formatSparkline([1, 2], 0)).toBe("");
  expect(formatSparkline([], 10)).toBe("");
});
