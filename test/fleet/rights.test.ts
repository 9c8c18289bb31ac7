import { expect, test } from "bun:test";
import { resourceOf } from "../../lib/fleet/resources.ts";
import { accessTo, formatAccesses } from "../../lib/fleet/rights.ts";
import { extensionSteps, type Placement } from "../../lib/manifest/extension.ts";

const placements: Placement[] = [
  { kind: "cluster" },
  { kind: "outOfCluster", url: "https://x" },
  { kind: "namespaced", namespace: "team" },
];
const objects = placements.flatMap((placement) =>
  extensionSteps({ image: "x", replicas: 1, placement }).flatMap((step) => step.objects),
);

test("every object of the extension has its place, in a namespace just where its resource is", () => {
  for (const object of objects) {
    const { namespaced } = resourceOf(object);
    expect([object.kind, object.metadata.namespace !== undefined]).toEqual([object.kind, namespaced]);
  }
  expect(() => resourceOf({ apiVersion: "v1", kind: "Node", metadata: { name: "n" } })).toThrow(
    'Cannot place Node "n" of v1: must be a kind that the extension knows',
  );
});

test("rights on the same resource are told together, those to create apart, since no name limits them", () => {
  const secrets = objects.filter(({ kind }) => kind === "Secret");
  const roles = objects.filter(({ kind }) => kind === "ClusterRole").slice(0, 1);
  const wanted = [...secrets.slice(0, 2), ...roles].flatMap((object) =>
    ["get", "create", "patch"].map((verb) => accessTo(verb, object)),
  );
  expect(formatAccesses(wanted)).toEqual([
    'get, patch secrets "loadtest-webhook-tls", "loadtest-webhook-ca" in loadtest-system',
    "create secrets in loadtest-system",
    'get, patch clusterroles.rbac.authorization.k8s.io "loadtest"',
    "create clusterroles.rbac.authorization.k8s.io",
  ]);
});
