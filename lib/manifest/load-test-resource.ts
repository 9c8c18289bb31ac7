// The CustomResourceDefinition of LoadTest.
import { LoadTestSpec, nameMaxLength } from "../loadtest/load-test.ts";
import { loadTestRules } from "../loadtest/load-test-rules.ts";
import { LoadTestStatus } from "../loadtest/load-test-status.ts";
import { dnsLabel } from "../loadtest/metadata.ts";
import { customResource } from "./custom-resource.ts";
import type { Manifest } from "./manifest.ts";

export function loadTestResource(): Manifest {
  return customResource({
    kind: "LoadTest",
    plural: "loadtests",
    shortNames: ["lt"],
    description: "A LoadTest drives a steady rate of HTTP requests at a Service.",
    spec: LoadTestSpec,
    rules: loadTestRules,
    status: LoadTestStatus,
    objectRules: [
      {
        rule: `self.metadata.name.matches('${dnsLabel}') && self.metadata.name.size() <= ${nameMaxLength}`,
        message: `metadata.name must be a DNS label of at most ${nameMaxLength} characters`,
      },
    ],
    columns: [
      { name: "Status", type: "string", jsonPath: ".status.phase" },
      { name: "Target-RPS", type: "integer", jsonPath: ".spec.requestsPerSecond" },
      { name: "RPS", type: "string", jsonPath: ".status.display.rps" },
      { name: "Err%", type: "string", jsonPath: ".status.display.errors" },
      { name: "P99", type: "string", jsonPath: ".status.display.p99" },
      { name: "Workers", type: "integer", jsonPath: ".status.workers.ready" },
      { name: "Service", type: "string", jsonPath: ".spec.service", priority: 1 },
      { name: "Canary", type: "string", jsonPath: ".spec.canary", priority: 1 },
      {
        name: "Passed",
        type: "string",
        jsonPath: '.status.conditions[?(@.type=="Passed")].status',
        priority: 1,
      },
      {
        name: "Reason",
        type: "string",
        jsonPath: '.status.conditions[?(@.type=="WorkersReady")].reason',
        priority: 1,
      },
    ],
  });
}
