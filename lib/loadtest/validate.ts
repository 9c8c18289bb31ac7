// The verdict on a LoadTest: every wrong field at once, by the schema and by the rules a schema cannot say.
import Ajv, { type ErrorObject } from "ajv";
import type { FieldError } from "./field-error.ts";
import { LoadTestManifest, type LoadTestSpec } from "./load-test.ts";
import { specRules } from "./rules.ts";

const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true, ownProperties: true });
ajv.addVocabulary(["mustBe", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"]);
const fitsSchema = ajv.compile<LoadTestManifest>(LoadTestManifest);

/** Every wrong field of `object`, in the order of its fields; empty when it is a well-formed LoadTest. */
export function validateLoadTest(object: unknown): FieldError[] {
  const errors = fitsSchema(object) ? [] : schemaErrors(fitsSchema.errors ?? []);
  const hasError = (field: string) =>
    errors.some((error) => error.field === "" || error.field === "spec" || isAtOrBelow(error.field, field));
  const spec = (object as { spec?: LoadTestSpec } | null)?.spec;
  for (const rule of specRules) {
    if (spec === undefined || rule.reads.some((name) => hasError(`spec.${name}`)) || !rule.isBroken(spec)) continue;
    const field = `spec.${rule.field}`;
    errors.push({ field, value: valueAt(spec, rule.field), rule: rule.cel, mustBe: rule.mustBe });
  }
  const { name, generateName } = (object as { metadata?: Record<string, unknown> } | null)?.metadata ?? {};
  if (name === undefined && generateName === undefined && !hasError("metadata")) {
    errors.push({ field: "metadata.name", rule: "required", mustBe: "the name of the LoadTest" });
  }
  return errors;
}

function schemaErrors(found: readonly ErrorObject[]): FieldError[] {
  const byField = new Map<string, FieldError>(); // a field is wrong once, however many keywords it breaks
  for (const error of found.map(toFieldError)) {
    if (!byField.has(error.field)) byField.set(error.field, error);
  }
  return [...byField.values()];
}

function toFieldError(error: ErrorObject): FieldError {
  const field = formatPath(error.instancePath);
  const schema = error.parentSchema as { mustBe?: string; properties?: Record<string, { mustBe?: string }> };
  switch (error.keyword) {
    case "required": {
      const name: string = error.params["missingProperty"];
      return { field: join(field, name), rule: "required", mustBe: schema.properties?.[name]?.mustBe ?? "present" };
    }
    case "additionalProperties": {
      const name: string = error.params["additionalProperty"];
      const value = (error.data as Record<string, unknown>)[name];
      const known = Object.keys(schema.properties ?? {}).join(", ");
      return { field: join(field, name), value, rule: "unknown field", mustBe: `one of the fields ${known}` };
    }
    default:
      return {
        field,
        value: error.data,
        rule: `${error.keyword}: ${JSON.stringify(error.schema)}`,
        mustBe: schema.mustBe ?? `such that it ${error.message}`,
      };
  }
}

/** The JSON pointer `/spec/paths/2` as people write it: `spec.paths[2]`. */
function formatPath(pointer: string): string {
  const names = pointer
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((path, name) => (/^\d+$/.test(name) ? `${path}[${name}]` : join(path, name)), "");
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function isAtOrBelow(field: string, ancestor: string): boolean {
  return field === ancestor || field.startsWith(`${ancestor}.`) || field.startsWith(`${ancestor}[`);
}

function valueAt(spec: LoadTestSpec, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], spec);
}
