// The CustomResourceDefinition of LoadTest, rendered from its schema: structural, with the CEL twins of the rules.
import type { TSchema } from "typebox";
import { apiGroup, LoadTestSpec, nameMaxLength } from "../loadtest/load-test.ts";
import { LoadTestStatus } from "../loadtest/load-test-status.ts";
import { specRules } from "../loadtest/rules.ts";

type JsonObject = { [name: string]: unknown };

/** Keywords that CRDs forbid or do not know: pruning does the work of the first, `mustBe` is ours. */
const foreignKeywords = new Set(["additionalProperties", "uniqueItems", "mustBe"]);

export function loadTestResource(): JsonObject {
  const spec = openApiSchema(LoadTestSpec);
  for (const rule of specRules) {
    const fieldPath = rule.at === "" ? { fieldPath: `.${rule.field}` } : {};
    addRule(schemaAt(spec, rule.at), { rule: rule.cel, message: `must be ${rule.mustBe}`, ...fieldPath });
  }
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `loadtests.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: "Namespaced",
      names: {
        kind: "LoadTest",
        listKind: "LoadTestList",
        plural: "loadtests",
        singular: "loadtest",
        shortNames: ["lt"],
        categories: ["loadtest"],
      },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "Status", type: "string", jsonPath: ".status.phase" },
            { name: "Target-RPS", type: "integer", jsonPath: ".spec.requestsPerSecond" },
            { name: "Workers", type: "integer", jsonPath: ".status.workers.ready" },
            { name: "Service", type: "string", jsonPath: ".spec.service", priority: 1 },
            {
              name: "Reason",
              type: "string",
              jsonPath: '.status.conditions[?(@.type=="WorkersReady")].reason',
              priority: 1,
            },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: "A LoadTest drives a steady rate of HTTP requests at a Service.",
              required: ["spec"],
              properties: {
                apiVersion: { type: "string", description: "Version of this kind: beta.kuar.com/v1." },
                kind: { type: "string", description: "LoadTest." },
                metadata: { type: "object" },
                spec,
                status: openApiSchema(LoadTestStatus),
              },
              "x-kubernetes-validations": [
                {
                  rule: `self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= ${nameMaxLength}`,
                  message: `metadata.name must be a DNS label of at most ${nameMaxLength} characters`,
                },
              ],
            },
          },
        },
      ],
    },
  };
}

/** `schema` without the keywords that are not OpenAPI's, all the way down. */
function openApiSchema(schema: TSchema): JsonObject {
  return JSON.parse(JSON.stringify(schema, (key, value) => (foreignKeywords.has(key) ? undefined : value)));
}

function schemaAt(schema: JsonObject, path: string): JsonObject {
  if (path === "") return schema;
  return path.split(".").reduce((parent, name) => {
    const child = (parent["properties"] as Record<string, JsonObject> | undefined)?.[name];
    if (child === undefined) throw new Error(`Cannot attach a rule at "${path}": must be a field of the schema`);
    return child;
  }, schema);
}

function addRule(schema: JsonObject, rule: JsonObject): void {
  schema["x-kubernetes-validations"] = [...((schema["x-kubernetes-validations"] as JsonObject[]) ?? []), rule];
}
