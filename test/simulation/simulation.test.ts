// A little of what scripts/simulate does for a night. Each half runs in a process of its own.
import { expect, test } from "bun:test";
import { join } from "node:path";

const halfOfHistories = 1000;

/** What is said at the end; in full where something ended badly. */
async function main(...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts"), ...args], { stdout: "pipe" });
  const [out] = await Promise.all([child.stdout.text(), child.exited]);
  return out.trim();
}

test("2,000 histories by chance come to be as they should, and never break a promise on the way", async () => {
  const halves = await Promise.all(
    [1, 1 + halfOfHistories].map((first) => main("histories", `${first}`, `${halfOfHistories}`)),
  );
  expect(halves).toEqual([1, 1001].map((first) => `${halfOfHistories} histories from seed ${first}, 0 ended badly`));
}, 600_000);

test("a crash at any call boundary of any scenario does no harm", async () => {
  const parts = await Promise.all(["0", "1"].map((part) => main("boundaries", part, "2")));
  for (const said of parts) expect(said).toMatch(/^[1-9]\d* call boundaries of [1-9]\d* scenarios, 0 ended badly$/);
}, 600_000);
