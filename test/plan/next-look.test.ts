import { expect, test } from "bun:test";
import { nextLookMs } from "../../lib/plan/next-look.ts";
import { loadTest, nowMs, options, world } from "./cluster.ts";

const lack = (canary: string | undefined, found: object | null) => {
  const spec = canary === undefined ? {} : { canary };
  const { service: _, ...rest } = loadTest(spec).spec;
  const one = { ...loadTest(), spec: canary === undefined ? loadTest().spec : { ...rest, canary } };
  const seen = { ...world([one]), canaries: new Map([["ns/split", found as never]]) };
  return nextLookMs(seen, options, nowMs);
};

test("a LoadTest without workers is looked at again soon, unless only its Canary can change that, which rings", () => {
  expect(lack(undefined, null)).toBe(2000);
  expect(lack("split", { spec: { backends: [{ service: "web", percent: 100 }] } })).toBe(2000);
  expect(lack("split", null)).toBeUndefined();
  expect(lack("split", { spec: { backends: [{ service: "web", percent: 1 }] } })).toBeUndefined();
});
