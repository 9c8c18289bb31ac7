import { describe, expect, test } from "bun:test";
import type { Outcome } from "../../lib/fleet/clusters.ts";
import { diffOf, exitCodeOf } from "../../lib/fleet/diff.ts";
import type { Inspection } from "../../lib/fleet/inspection.ts";

const placement = { kind: "cluster" } as const;
const expected = { image: "a", replicas: 2, placement };
const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace: "n" } };
const examined = { wanted: policy, differences: [] };
const live = { ...policy, metadata: { ...policy.metadata, uid: "1", resourceVersion: "1", creationTimestamp: "" } };

function inspection(context: string, given: Partial<Inspection> = {}): Outcome<Inspection> {
  const value: Inspection = {
    version: "v1.34.4",
    told: {},
    found: expected,
    expected,
    objects: [],
    optional: [examined],
    extras: [],
    differences: [],
    doubts: [],
    certificates: [],
    imageDigests: [],
    ...given,
  };
  return { context, value };
}

const drift = { object: "Role a", field: "rules" };
const doubt = { object: "Secret a", reason: "forbidden" };
const down: Outcome<Inspection> = { context: "down", error: "refused" };
const extension = { context: "b", object: "the extension" };

const cases: [what: string, outcomes: Outcome<Inspection>[], code: number, differences: object[]][] = [
  ["one as it should be", [inspection("a")], 0, []],
  ["two that are the same", [inspection("a"), inspection("b")], 0, []],
  ["one that differs", [inspection("a"), inspection("b", { differences: [drift] })], 1, [{ context: "b", ...drift }]],
  ["one that is down, though the other is as it should be", [inspection("a"), down], 2, []],
  [
    "one that is down, and one that differs",
    [down, inspection("b", { differences: [drift] })],
    2,
    [{ context: "b", ...drift }],
  ],
  ["one with a doubt", [inspection("a", { doubts: [doubt] })], 2, []],
  [
    "images and replicas that nobody has told",
    [inspection("a"), inspection("b", { found: { image: "b", replicas: 3, placement } })],
    1,
    [
      { ...extension, field: "image", found: "b", wanted: "a", as: "a" },
      { ...extension, field: "replicas", found: 3, wanted: 2, as: "a" },
    ],
  ],
  [
    "images and replicas that are told, which are thus among the differences already",
    [
      inspection("a", { told: expected }),
      inspection("b", { told: expected, found: { image: "b", replicas: 3, placement } }),
    ],
    0,
    [],
  ],
  [
    "one of which nothing is found",
    [inspection("a"), inspection("b", { found: {}, differences: [drift] })],
    1,
    [{ context: "b", ...drift }],
  ],
  [
    "digests",
    [inspection("a", { imageDigests: ["x"] }), inspection("b", { imageDigests: ["x", "y"] })],
    1,
    [{ ...extension, field: "image digest", found: "x, y", wanted: "x", as: "a" }],
  ],
  ["a digest that is not known", [inspection("a", { imageDigests: ["x"] }), inspection("b")], 0, []],
  [
    "a network policy that only the first has",
    [inspection("a", { optional: [{ ...examined, live }] }), inspection("b")],
    1,
    [{ context: "b", object: "NetworkPolicy n/p", field: "", wanted: "is there", as: "a" }],
  ],
  [
    "the first that can be looked at, where the first is down",
    [down, inspection("a"), inspection("b", { found: { ...expected, replicas: 3 } })],
    2,
    [{ ...extension, field: "replicas", found: 3, wanted: 2, as: "a" }],
  ],
];

describe("diffOf()", () => {
  test.each(cases)("of %s", (_, outcomes, code, differences) => {
    const diff = diffOf(outcomes);
    expect(exitCodeOf(diff)).toBe(code as 0 | 1 | 2);
    expect(diff.differences as object[]).toEqual(differences);
    expect(diff.clusters.map(({ context }) => context)).toEqual(outcomes.map(({ context }) => context));
  });

  test("calls no cluster the same that has not been looked at as a whole", () => {
    const outcomes = [
      down,
      inspection("a"),
      inspection("b", { doubts: [doubt] }),
      inspection("c", { differences: [drift], doubts: [doubt] }),
    ];
    expect(diffOf(outcomes).clusters.map(({ state }) => state)).toEqual(["unknown", "same", "unknown", "differs"]);
  });
});
