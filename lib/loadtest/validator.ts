// The verdict on an object: every wrong field at once, by the schema and by the rules a schema cannot say.
import Ajv, { type ErrorObject } from "ajv";
import type { FieldError } from "./field-error.ts";
import type { Rule } from "./rule.ts";

const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true, ownProperties: true });
ajv.addVocabulary(["mustBe", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-int-or-string"]);

/** A validator for objects of this schema: it returns every wrong field, by the schema first, then by the rules. */
export function createValidator<Spec extends object>(
  schema: object,
  rules: readonly Rule<Spec>[],
): (object: unknown) => FieldError[] {
  const errorsBySchema = createSchemaValidator(schema);
  return (object) => {
    const ofSchema = errorsBySchema(object);
    const errors = [...ofSchema];
    const hasError = (field: string) =>
      ofSchema.some((error) => error.field === "" || error.field === "spec" || isAtOrBelow(error.field, field));
    const { metadata, spec } = (object ?? {}) as { metadata?: Record<string, unknown>; spec?: Spec };
    for (const rule of rules) {
      if (spec === undefined || rule.reads.some((name) => hasError(`spec.${name}`)) || !rule.isBroken(spec)) continue;
      errors.push(brokenRule(rule, spec));
    }
    if (metadata?.["name"] === undefined && metadata?.["generateName"] === undefined && !hasError("metadata")) {
      errors.push({ field: "metadata.name", rule: "required", mustBe: "given" });
    }
    return errors;
  };
}

/** A validator for anything of this schema: it returns every wrong field. */
export function createSchemaValidator(schema: object): (value: unknown) => FieldError[] {
  const fitsSchema = ajv.compile(schema);
  return (value) => (fitsSchema(value) ? [] : schemaErrors(fitsSchema.errors ?? []));
}

function brokenRule<Spec>(rule: Rule<Spec>, spec: Spec): FieldError {
  const value = valueAt(spec, rule.field);
  const { mustBe, but } = rule;
  return {
    field: `spec.${rule.field}`,
    ...(value === undefined ? {} : { value }),
    rule: rule.cel,
    mustBe: but === undefined ? mustBe : `${mustBe}, ${but.words.replace("%d", String(but.of(spec)))}`,
  };
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

function valueAt(spec: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], spec);
}
