import { afterEach, beforeEach, expect, setSystemTime, test } from "bun:test";
import { LookedAt } from "../../lib/controller/looked-at.ts";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import type { Action } from "../../lib/plan/world.ts";

const options = { workerImage: "loadtest", maxRequestsPerSecond: 1000 };
const nowMs = Date.parse("2026-01-01T00:00:00Z");
const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };

beforeEach(() => {
  setSystemTime(nowMs);
});
afterEach(() => {
  setSystemTime();
});

/** How many of these need attention. */
const needy = async (lookedAt: LookedAt, ...all: Parameters<LookedAt["select"]>[0]) =>
  (await Array.fromAsync(lookedAt.select(all, options))).filter(({ inMs }) => inMs === 0).length;

/** A LoadTest whose Pod waits at a gate, planned until nothing is left to do. */
function settled(spec: Partial<LoadTest["spec"]> = {}): { loadTest: LoadTest; pods: Observed<Pod>[] } {
  const metadata = { name: "a", namespace: "n", uid: "u", resourceVersion: "1", generation: 1 };
  const wanted = { service: "web", scheme: "http", requestsPerSecond: 10, ...spec };
  const loadTest = { apiVersion, kind: "LoadTest", metadata, spec: wanted } as unknown as LoadTest;
  const pods: Observed<Pod>[] = [];
  for (let actions: Action[] | undefined; actions === undefined || actions.length > 0; ) {
    const world = {
      loadTests: [loadTest],
      pods,
      canaries: new Map(),
      services: new Map([["n/web", service as never]]),
      goneOwners: new Set<string>(),
    };
    actions = plan(world, options, nowMs);
    for (const action of actions) {
      if (action.kind === "patchStatus") loadTest.status = action.status;
      if (action.kind === "createPod") pods.push(stored(action.pod));
    }
  }
  return { loadTest, pods };
}

function stored(pod: Pod): Observed<Pod> {
  const added = { uid: "p", resourceVersion: "2", creationTimestamp: "2026-01-01T00:00:00Z" };
  return { ...pod, metadata: { ...pod.metadata, ...added }, status: { phase: "Pending" } };
}

test("what is at rest is passed over until it or a Pod has another version, or ten looks have passed", async () => {
  const lookedAt = new LookedAt();
  const one = settled();
  expect(await needy(lookedAt, one)).toBe(0);
  one.loadTest.status = {}; // as no API server would show it: the same version
  expect(await needy(lookedAt, one)).toBe(0);
  one.loadTest.metadata.resourceVersion = "3";
  expect(await needy(lookedAt, one)).toBe(1);
  expect(await needy(lookedAt, one)).toBe(1);

  const other = settled();
  expect(await needy(lookedAt, other)).toBe(0);
  other.pods.length = 0;
  expect(await needy(lookedAt, other)).toBe(1);

  const third = settled();
  const fresh = new LookedAt();
  const looks: number[] = [];
  for (let look = 0; look < 11; look++) {
    if (look === 1) third.loadTest.status = {};
    looks.push(await needy(fresh, third));
  }
  expect(looks).toEqual([...new Array(10).fill(0), 1]);
});

test("one that cannot be planned is worked on, to fail by itself, and the others are found", async () => {
  const [broken, other] = [settled(), settled()];
  Object.assign(broken.pods[0]?.metadata ?? {}, { annotations: null });
  other.loadTest.metadata.uid = "other";
  other.pods.length = 0;
  const found = await Array.fromAsync(new LookedAt().select([broken, other], options));
  expect(found).toEqual([other, broken].map(({ loadTest }) => ({ loadTest, inMs: 0 })));
});

test("what time alone changes is planned at each look", async () => {
  const lookedAt = new LookedAt();
  const waiting = settled({ startDeadline: "10m" });
  const [found] = await Array.fromAsync(lookedAt.select([waiting], options));
  expect(found?.inMs).toBe(600_000);
  setSystemTime(nowMs + 3_600_000);
  expect(await needy(lookedAt, waiting)).toBe(1);
});

test("of many, those without Pods are found first, before the others have been planned", async () => {
  const many = Array.from({ length: 200 }, (_, index) => {
    const { loadTest, pods } = settled();
    Object.assign(loadTest, { metadata: { ...loadTest.metadata, name: `lt-${index}` } });
    return { loadTest, pods: index === 150 ? [] : pods };
  });
  for await (const { loadTest } of new LookedAt().select(many, options)) {
    expect(loadTest.metadata.name).toBe("lt-150");
    break;
  }
  const needing = many.slice(0, 100).map(({ loadTest }) => loadTest);
  for (const loadTest of needing) loadTest.status = {};
  const found = (await Array.fromAsync(new LookedAt().select(many, options))).map(({ loadTest }) => loadTest);
  expect(found[0]?.metadata.name).toBe("lt-150");
  expect(found.slice(1)).toEqual(needing);
});
