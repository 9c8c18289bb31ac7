// Every file of manifests/ as text, rendered from code. `scripts/render` writes them, a test compares them.
import { stringify } from "yaml";
import { WorkerPlan } from "../load/worker-plan.ts";
import { SnapshotLine } from "../stats/line.ts";
import { Maximum } from "../stats/maximum.ts";
import { Summary } from "../stats/summary.ts";
import { canaryResource } from "./canary-resource.ts";
import { sampleCertificateRequest } from "./certificate-request.ts";
import { allOf, controllerParts, namespacedControllerParts } from "./controller.ts";
import { loadTestResource } from "./load-test-resource.ts";
import { loadTestResultResource } from "./load-test-result-resource.ts";
import { networkPolicies } from "./network-policy.ts";
import { sampleCanary, sampleLoadTest, sampleWorkerPods } from "./sample.ts";
import { mutatingConfiguration, validatingConfiguration } from "./webhooks.ts";

const image = "localhost/loadtest:dev";

/** Path below manifests/ → content. The schemas are of what programs may read: `run --output json`, logs and plans. */
export function renderManifests(): Record<string, string> {
  return {
    "loadtest-resource.yaml": renderYaml([loadTestResource()]),
    "loadtest-result-resource.yaml": renderYaml([loadTestResultResource()]),
    "canary-resource.yaml": renderYaml([canaryResource()]),
    "controller.yaml": renderYaml(allOf(controllerParts({ image }))),
    "controller-namespaced.yaml": renderYaml(allOf(namespacedControllerParts({ image }))),
    "network-policy.yaml": renderYaml(networkPolicies()),
    "validating-controller.yaml": renderYaml([validatingConfiguration()]),
    "mutating-controller.yaml": renderYaml([mutatingConfiguration()]),
    "admission-controller-csr.yaml": renderYaml([sampleCertificateRequest()]),
    "samples/loadtest.yaml": renderYaml([sampleLoadTest]),
    "samples/worker-pods.yaml": renderYaml([sampleWorkerPods]),
    "samples/canary.yaml": renderYaml([sampleCanary]),
    "schemas/summary.schema.json": renderSchema(Summary),
    "schemas/maximum.schema.json": renderSchema(Maximum),
    "schemas/snapshot.schema.json": renderSchema(SnapshotLine),
    "schemas/worker-plan.schema.json": renderSchema(WorkerPlan),
  };
}

function renderSchema(schema: object): string {
  const draft = "https://json-schema.org/draft/2020-12/schema";
  return `${JSON.stringify({ $schema: draft, ...schema }, null, 2)}\n`;
}

/** Objects as YAML documents, one after the other. */
export function renderYaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })).join("---\n");
}
