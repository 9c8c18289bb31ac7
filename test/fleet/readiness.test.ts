import { expect, test } from "bun:test";
import { remainsOf } from "../../lib/fleet/disappearance.ts";
import { unreadiness } from "../../lib/fleet/readiness.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";

const object = (kind: string, rest: object, metadata: object = {}): KubeObject =>
  ({ apiVersion: "x/v1", kind, metadata: { name: "x", ...metadata }, ...rest }) as KubeObject;
const deployment = (status: object, replicas = 2) =>
  object("Deployment", { spec: { replicas }, status: { observedGeneration: 3, ...status } }, { generation: 3 });
const definition = (...conditions: object[]) => object("CustomResourceDefinition", { status: { conditions } });

test.each([
  [
    "nobody has seen it",
    deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }),
    "is not looked after yet",
  ],
  ["nothing is there", deployment({}), "has 0 of 2 replicas"],
  [
    "some are of the former kind",
    deployment({ replicas: 3, updatedReplicas: 2, availableReplicas: 3 }),
    "has 1 former replicas",
  ],
  [
    "some are not available",
    deployment({ replicas: 2, updatedReplicas: 2, availableReplicas: 1 }),
    "has 1 of 2 replicas available",
  ],
  ["all are available", deployment({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }), undefined],
] as const)("a Deployment of which %s", (_, live, words) => {
  expect(unreadiness(live)).toBe(words);
});

test.each([
  ["without conditions", definition(), "is not served yet"],
  [
    "that has just been made",
    object("CustomResourceDefinition", { status: { conditions: null } }),
    "is not served yet",
  ],
  ["that is not established", definition({ type: "Established", status: "False" }), "is not served yet"],
  [
    "whose names are taken",
    definition(
      { type: "NamesAccepted", status: "False", message: '"lt" is in use' },
      { type: "Established", status: "True" },
    ),
    'has names that are taken: "lt" is in use',
  ],
  ["that is served", definition({ type: "Established", status: "True" }), undefined],
] as const)("a kind %s", (_, live, words) => {
  expect(unreadiness(live)).toBe(words);
});

test("whatever is on its way out is not ready", () => {
  expect(unreadiness(object("Secret", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" }))).toBe("is being deleted");
});

test("what remains is named with who holds it, the first three of many", () => {
  const deletionTimestamp = "2026-01-01T00:00:30Z";
  const held = object("LoadTest", {}, { namespace: "a", deletionTimestamp, finalizers: ["example.com/hold"] });
  expect(remainsOf([held])).toBe(
    "LoadTest a/x (being deleted since 2026-01-01T00:00:30Z, held by the finalizer example.com/hold) remains",
  );
  const pod = object("Pod", {}, { namespace: "a", deletionTimestamp, deletionGracePeriodSeconds: 30 });
  expect(remainsOf([pod])).toBe("Pod a/x (being deleted since 2026-01-01T00:00:00Z) remains");
  const conditions = [
    {
      type: "NamespaceContentRemaining",
      status: "True",
      message: "Some resources are remaining: pods. has 1 instances",
    },
    { type: "NamespaceDeletionDiscoveryFailure", status: "False", message: "none" },
  ];
  const namespace = object("Namespace", { status: { conditions } }, { deletionTimestamp });
  expect(remainsOf([namespace])).toBe("Namespace x (Some resources are remaining: pods. has 1 instances) remains");
  const plain = object("Secret", {}, { namespace: "a" });
  expect(remainsOf([plain, plain, plain, plain, plain])).toBe("Secret a/x, Secret a/x, Secret a/x and 2 more remain");
});
