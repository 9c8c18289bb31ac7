// The CustomResourceDefinition of Canary, which is data alone: it has no status.
import { CanarySpec, canaryRules } from "../loadtest/canary.ts";
import { customResource } from "./custom-resource.ts";
import type { Manifest } from "./manifest.ts";

export function canaryResource(): Manifest {
  return customResource({
    kind: "Canary",
    plural: "canaries",
    shortNames: [],
    description: "A Canary shares requests between Services by percents. It is data: LoadTests and others read it.",
    spec: CanarySpec,
    rules: canaryRules,
    objectRules: [],
    columns: [0, 1].flatMap((index) => [
      { name: index === 0 ? "Service" : "Next", type: "string", jsonPath: `.spec.backends[${index}].service` },
      { name: index === 0 ? "Percent" : "Next-Percent", type: "integer", jsonPath: `.spec.backends[${index}].percent` },
    ]),
  });
}
