import { expect, test } from "bun:test";
import { type DriftRow, driftTable } from "../../lib/report/drift-table.ts";
import { expectGolden } from "./golden.ts";

const role = "ClusterRole loadtest";
const validation =
  "object.spec.containers.all(c, c.image == 'registry.example/loadtest:1') && !has(object.spec.initContainers)";
const rows: DriftRow[] = [
  {
    context: "west",
    object: role,
    field: "rules[secrets]",
    found: { verbs: ["*"], apiGroups: [""], resources: ["secrets"] },
  },
  { context: "east", object: "Lease loadtest-system/loadtest-controller", field: "", wanted: {} },
  {
    context: "east",
    object: "ClusterRoleBinding sneaky",
    field: "",
    found: "gives the controller ClusterRole cluster-admin",
  },
  {
    context: "east",
    object: role,
    field: "rules[secrets]",
    found: { verbs: ["*"], apiGroups: [""], resources: ["secrets"] },
  },
  {
    context: "east",
    object: "CustomResourceDefinition loadtests.beta.kuar.com",
    field: "spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.requestsPerSecond.maximum",
    found: 7,
    wanted: 1000000,
  },
  {
    context: "east",
    object: "ValidatingAdmissionPolicy loadtest-worker-pods",
    field: "spec.validations[the volumes must be downwardAPI, configMap, secret, emptyDir].expression",
    found: `${validation} || true`,
    wanted: validation,
  },
  { context: "east", object: "the extension", field: "replicas", found: 3, wanted: 2, as: "west" },
  {
    context: "east",
    object: "Service loadtest-system/loadtest",
    field: "spec.externalName",
    found: "",
    wanted: "a\nb",
  },
];

test("driftTable() shows a line for each difference, on however many clusters", () => {
  expectGolden("drift-table.txt", `${driftTable(rows).join("\n")}\n`);
});

test("driftTable() of nothing is nothing", () => {
  expect(driftTable([])).toEqual([]);
});
