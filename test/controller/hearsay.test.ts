import { expect, test } from "bun:test";
import { Hearsay, keyOf } from "../../lib/controller/hearsay.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { loadTest, workerPods } from "../plan/finished-pods.ts";

const key = "ns/lt";

function created(agoSeconds = 0): LoadTest {
  const test = loadTest();
  const creationTimestamp = new Date(Date.now() - agoSeconds * 1000).toISOString();
  return { ...test, metadata: { ...test.metadata, namespace: "ns", name: "lt", creationTimestamp } };
}

test("a LoadTest that has just come is fresh, once", () => {
  const hearsay = new Hearsay();
  hearsay.learn([], []);
  const test = created();
  expect(keyOf(test)).toBe(key);
  expect(hearsay.hear(test, "ADDED")).toBe("fresh");
  expect(hearsay.hear(test, "ADDED")).toBe("none");
  expect(hearsay.takeFresh(key)).toBeUndefined(); // told twice, it is looked at like any other
  hearsay.learn([], []);
  hearsay.hear(test, "ADDED");
  expect(hearsay.takeFresh(key)).toBe(test);
  expect(hearsay.takeFresh(key)).toBeUndefined();
});

test.each<[string, (hearsay: Hearsay) => void]>([
  ["is old", (hearsay) => hearsay.hear(created(60), "ADDED")],
  ["has a status", (hearsay) => hearsay.hear({ ...created(), status: { phase: "Pending" } }, "ADDED")],
  [
    "comes before all Pods are known",
    (hearsay) => {
      hearsay.forget();
      hearsay.hear(created(), "ADDED");
    },
  ],
  [
    "is gone by now",
    (hearsay) => {
      hearsay.hear(created(), "ADDED");
      hearsay.hear(created(), "DELETED");
    },
  ],
  [
    "has been worked on by another controller",
    (hearsay) => {
      hearsay.hear(created(), "ADDED");
      hearsay.hear({ ...created(), status: { phase: "Pending" } }, "MODIFIED");
    },
  ],
  [
    "has Pods already",
    (hearsay) => {
      for (const pod of workerPods(created(), 1)) hearsay.notePod(pod as Pod, false);
      hearsay.hear(created(), "ADDED");
    },
  ],
  [
    "has had Pods since lists were asked for that do not have them yet",
    (hearsay) => {
      hearsay.expectLists();
      for (const pod of workerPods(created(), 1)) hearsay.notePod(pod as Pod, false);
      hearsay.learn([], []);
      hearsay.hear(created(), "ADDED");
    },
  ],
])("one that %s is not taken for fresh", (_, tell) => {
  const hearsay = new Hearsay();
  hearsay.learn([], []);
  tell(hearsay);
  expect(hearsay.takeFresh(key)).toBeUndefined();
});

test("a Pod that has gone since lists were asked for is no Pod, though they still have it", () => {
  const hearsay = new Hearsay();
  const pods = workerPods(created(), 1) as Pod[];
  hearsay.expectLists();
  for (const pod of pods) hearsay.notePod(pod, true);
  hearsay.learn([], pods);
  const test = created();
  hearsay.hear(test, "ADDED");
  expect(hearsay.takeFresh(key)).toBe(test);
});

test("a Canary's users that have come since lists were asked for are still known", () => {
  const hearsay = new Hearsay();
  const user = created();
  hearsay.expectLists();
  hearsay.hear({ ...user, spec: { ...user.spec, canary: "split" } }, "ADDED");
  hearsay.learn([], []);
  expect([...hearsay.keysOfCanary("ns/split")]).toEqual([key]);
});
