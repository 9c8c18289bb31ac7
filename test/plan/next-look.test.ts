import { expect, test } from "bun:test";
import { nextLookMs } from "../../lib/plan/next-look.ts";
import { needsAttention } from "../../lib/plan/plan.ts";
import { Cluster, conditionIn, loadTest, nowMs, options, world } from "./cluster.ts";

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

test("what a LoadTest has lacked for long is looked for less often", () => {
  const cluster = new Cluster(loadTest());
  cluster.services = new Map([["ns/web", null]]);
  cluster.pass();
  const look = (afterMs: number) => nextLookMs(cluster.world(), options, cluster.nowMs + afterMs);
  expect([0, 40_000, 100_000, 86_400_000].map(look)).toEqual([2000, 2000, 5000, 30_000]);
});

test("workers that have failed for good are looked at again when the schedule ends, and not before", () => {
  const cluster = new Cluster(loadTest({ workers: 1, duration: "8h" }));
  const look = () => nextLookMs(cluster.world(), options, cluster.nowMs) as number;
  cluster.converge();
  const endAtMs = nowMs + 8 * 3_600_000;
  for (let attempt = 0; attempt < 5; attempt++) {
    for (const pod of cluster.live) cluster.end(pod, "Failed");
    cluster.pass();
    expect(look()).toBe(attempt < 4 ? 2000 : endAtMs - cluster.nowMs);
    cluster.nowMs += 100_000;
    cluster.converge();
  }
  expect(needsAttention(cluster.test, cluster.pods, options, cluster.nowMs)).toBe(false);
  cluster.nowMs = endAtMs;
  expect(needsAttention(cluster.test, cluster.pods, options, cluster.nowMs)).toBe(true);
  cluster.pass();
  expect(conditionIn(cluster.test, "Complete")?.reason).toBe("WorkersFailed");
});

test("a refused LoadTest is looked at as long as a worker runs that is to end, since it may not have heard of it", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  cluster.converge();
  cluster.edit({ requestsPerSecond: options.maxRequestsPerSecond + 1 });
  cluster.pass(); // told, and not delivered
  expect(needsAttention(cluster.test, cluster.pods, options, cluster.nowMs)).toBe(true);
  expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBe(5000);
});

test("a pause that comes when all workers have ended holds up no verdict", () => {
  const cluster = new Cluster(loadTest({ workers: 1, duration: "10s" }));
  cluster.converge();
  cluster.nowMs += 15_000;
  for (const pod of cluster.live) cluster.end(pod, "Succeeded");
  cluster.edit({ state: "Paused" });
  cluster.converge();
  expect(conditionIn(cluster.test, "Complete")?.status).toBe("True");
});

test("a LoadTest that is refused is looked at by its startDeadline, one that is not well-formed has none", () => {
  const refused = new Cluster(loadTest({ requestsPerSecond: options.maxRequestsPerSecond + 1, startDeadline: "30s" }));
  const illegible = new Cluster(loadTest({ requestsPerSecond: 0, startDeadline: "30s" }));
  const looks = () => [refused, illegible].map((one) => nextLookMs(one.world(), options, one.nowMs));
  for (const cluster of [refused, illegible]) cluster.pass();
  expect(looks()).toEqual([30_000, undefined]);
  for (const cluster of [refused, illegible]) cluster.nowMs += 30_000;
  expect(needsAttention(refused.test, [], options, refused.nowMs)).toBe(true);
  for (const cluster of [refused, illegible]) cluster.pass();
  expect(conditionIn(refused.test, "Complete")?.reason).toBe("StartDeadlineExceeded");
  expect(looks()).toEqual([undefined, undefined]);
});

test("a load that has begun, or may have, is not looked at again and again after its startDeadline", () => {
  const cluster = new Cluster(loadTest({ workers: 1, startDeadline: "30s", duration: "1h" }));
  const look = (reports: ReturnType<Cluster["reports"]>) =>
    nextLookMs({ ...cluster.world(), reports }, options, cluster.nowMs);
  cluster.pass();
  for (const pod of cluster.pods) cluster.start(pod);
  cluster.nowMs += 60_000;
  expect(look(new Map())).toBeGreaterThan(0); // its log cannot be read
  cluster.converge();
  expect(cluster.test.status?.startTime).toBeDefined();
  cluster.pods = [];
  expect(look(new Map())).toBe(2000);
});

test("workers that are ended by a startDeadline are waited for, without looking all the time", () => {
  const cluster = new Cluster(loadTest({ workers: 2, startDeadline: "30s" }));
  cluster.pass();
  cluster.nowMs += 30_000;
  cluster.pass();
  expect(cluster.pods.every(({ metadata }) => metadata.deletionTimestamp !== undefined)).toBe(true);
  expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBeGreaterThan(0);
});

test("a run that was asked for during another is seen to as soon as that has its verdict", () => {
  const cluster = new Cluster(loadTest({ workers: 1, duration: "10s" }));
  const look = () => nextLookMs(cluster.world(), options, cluster.nowMs);
  cluster.converge();
  cluster.edit({ runID: "two", requestsPerSecond: options.maxRequestsPerSecond + 1 });
  cluster.nowMs += 15_000;
  for (const pod of cluster.live) cluster.end(pod, "Succeeded");
  cluster.pass();
  expect(conditionIn(cluster.test, "Complete")?.status).toBe("True");
  expect(look()).toBe(0);
  cluster.converge();
  expect(cluster.test.status?.runID).toBe("two");
  expect(look()).toBeUndefined(); // refused
});
