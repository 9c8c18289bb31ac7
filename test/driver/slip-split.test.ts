import { expect, test } from "bun:test";
import { SlipSplit } from "../../lib/driver/slip-split.ts";

test("a request that finds a connection free is late by the generator alone", () => {
  expect(new SlipSplit().lateNs(100, 50, 107)).toBe(7);
});

test("a request that waits for a connection is late by none of the generator's doing", () => {
  expect(new SlipSplit().lateNs(100, 180, 180)).toBe(0);
});

test("after a pause all that was due in it is late until its end, also on connections freed later", () => {
  const split = new SlipSplit();
  expect(split.lateNs(100, 90, 1100)).toBe(1000); // the first to leave after a pause from 100 to 1100
  expect(split.lateNs(400, 1150, 1150)).toBe(700); // waited 50 more for a connection
  expect(split.lateNs(1120, 1160, 1160)).toBe(0); // due after the pause
});

test("what was due before a connection became free is not laid to the pause that followed", () => {
  const split = new SlipSplit();
  expect(split.lateNs(300, 500, 900)).toBe(400);
  expect(split.lateNs(400, 950, 950)).toBe(400); // until 500 no connection was free
});
