import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cost, costOfMinute, costOfPoll, costOfTest, scaleTables } from "./scale.ts";

const total = ({ calls }: Cost, isCounted: (name: string) => boolean) =>
  Object.entries(calls).reduce((sum, [name, count]) => sum + (isCounted(name) ? count : 0), 0);
const isLog = (name: string) => name === "get pods/log";
const isOfPods = (name: string) => name === "create pods" || name === "patch pods";

test("ARCHITECTURE.md says what LoadTests cost, as scripts/simulate --scale prints it", () => {
  expect(readFileSync(join(import.meta.dir, "../../ARCHITECTURE.md"), "utf8")).toContain(scaleTables());
});

test("a LoadTest of n workers takes 2n writes of Pods, and as many looks and statuses whatever n is", () => {
  for (const workers of [1, 2, 8, 24]) {
    const cost = costOfTest(workers);
    expect(cost.calls).toMatchObject({ "create pods": workers, "patch pods": workers });
    expect(total(cost, (name) => !isLog(name) && !isOfPods(name))).toBeLessThanOrEqual(65);
    expect(cost.bytesReceived / workers).toBeLessThan(75_000);
  }
});

test("a minute of any number of workers is at most 400 reads of logs, and writes figures alone", () => {
  for (const workers of [2, 48]) {
    const cost = costOfMinute(workers);
    expect(total(cost, isLog)).toBeLessThanOrEqual(Math.min(12 * workers, 400));
    expect(total(cost, (name) => /^(create|patch|update|delete) (?!loadtestresults)/.test(name))).toBe(0);
  }
});

test("a poll is two lists, whatever the number of LoadTests, and about 6 KB for each", () => {
  for (const loadTests of [2, 50]) {
    const { calls, bytesReceived } = costOfPoll(loadTests);
    expect(calls).toEqual({ "list loadtests": 1, "list pods": 1 });
    expect(bytesReceived / loadTests / 6000).toBeWithin(0.85, 1.15);
  }
});
