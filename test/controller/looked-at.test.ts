import { expect, test } from "bun:test";
import { LookedAt } from "../../lib/controller/looked-at.ts";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import type { Action } from "../../lib/plan/world.ts";

const options = { workerImage: "loadtest", maxRequestsPerSecond: 1000 };
const nowMs = Date.parse("2026-01-01T00:00:00Z");
const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };

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

test("what is at rest is passed over until it or a Pod has another version, or ten looks have passed", () => {
  const lookedAt = new LookedAt();
  const { loadTest, pods } = settled();
  const select = () => lookedAt.select([{ loadTest, pods }], options, nowMs).length;
  expect(select()).toBe(0);
  loadTest.status = {}; // as no API server would show it: the same version
  expect(select()).toBe(0);
  loadTest.metadata.resourceVersion = "3";
  expect(select()).toBe(1);
  expect(select()).toBe(1);

  const other = settled();
  const selectOther = () => lookedAt.select([other], options, nowMs).length;
  expect(selectOther()).toBe(0);
  other.pods.length = 0;
  expect(selectOther()).toBe(1);

  const third = settled();
  const fresh = new LookedAt();
  const looks = Array.from({ length: 11 }, (_, look) => {
    if (look === 1) third.loadTest.status = {};
    return fresh.select([third], options, nowMs).length;
  });
  expect(looks).toEqual([...new Array(10).fill(0), 1]);
});

test("what time alone changes is planned at each look", () => {
  const lookedAt = new LookedAt();
  const waiting = settled({ startDeadline: "10m" });
  expect(lookedAt.select([waiting], options, nowMs)).toEqual([]);
  expect(lookedAt.select([waiting], options, nowMs + 3_600_000)).toEqual([waiting]);
});
