// A CustomResourceDefinition, rendered from the schema of its kind: structural, with the CEL twins of the rules.
import type { TObject, TSchema } from "typebox";
import { apiGroup } from "../loadtest/api-group.ts";
import type { Rule } from "../loadtest/rule.ts";
import type { Manifest } from "./manifest.ts";

type JsonObject = { [name: string]: unknown };

/** Keywords that CRDs forbid or do not know; `mustBe` is ours. */
const foreignKeywords = new Set(["uniqueItems", "mustBe"]);

export interface Definition<Spec> {
  kind: string;
  plural: string;
  shortNames: string[];
  description: string;
  /** Either of them: what is wanted, or fields beside the metadata. */
  spec?: TSchema;
  data?: TObject;
  rules: readonly Rule<Spec>[];
  /** Absent: the kind has no status. */
  status?: TSchema;
  /** Rules over the whole object, for its name. */
  objectRules: { rule: string; message: string }[];
  columns: { name: string; type: string; jsonPath: string; priority?: number }[];
}

export function customResource<Spec>(definition: Definition<Spec>): Manifest {
  const { kind, plural, shortNames, description, rules, status, objectRules, columns } = definition;
  const singular = kind.toLowerCase();
  const spec = definition.spec && openApiSchema(definition.spec);
  if (spec !== undefined) for (const rule of rules) addRule(schemaAt(spec, rule.at), celRule(rule));
  const data = definition.data === undefined ? { required: ["spec"] } : openApiSchema(definition.data);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["loadtest"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: [
            ...columns,
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: {
            openAPIV3Schema: {
              type: "object",
              description,
              required: data["required"],
              properties: {
                apiVersion: { type: "string", description: "Version of this kind: beta.kuar.com/v1." },
                kind: { type: "string", description: `${kind}.` },
                metadata: { type: "object" },
                ...(spec === undefined ? {} : { spec }),
                ...(data["properties"] as JsonObject | undefined),
                ...(status === undefined ? {} : { status: openApiSchema(status) }),
              },
              ...(objectRules.length === 0 ? {} : { "x-kubernetes-validations": objectRules }),
            },
          },
        },
      ],
    },
  };
}

function celRule<Spec>({ field, at, cel, mustBe, but }: Rule<Spec>): JsonObject {
  return {
    rule: cel,
    message: `must be ${mustBe}`,
    ...(but === undefined ? {} : { messageExpression: `'must be ${mustBe}, ${but.words}'.format([${but.cel}])` }),
    ...(at === "" ? { fieldPath: `.${field}` } : {}),
  };
}

/**
 * `schema` without the keywords that are not OpenAPI's, all the way down. A closed object needs no word, as pruning does
 * that work; the schema of a map's values stays.
 */
export function openApiSchema(schema: TSchema): JsonObject {
  const isForeign = (key: string, value: unknown) =>
    foreignKeywords.has(key) ||
    (key === "additionalProperties" && value === false) ||
    (key === "type" && Array.isArray(value)); // x-kubernetes-int-or-string says it
  return JSON.parse(JSON.stringify(schema, (key, value) => (isForeign(key, value) ? undefined : value)));
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
