// What is unsafe in replacing one schema of a kind by another: whatever the first one lets pass, and the second one would
// refuse, drop or fill in differently. A keyword that this does not know may not change.
import { isDeepStrictEqual } from "node:util";

export interface SchemaChange {
  /** From the object on: `spec.stages[].duration`, `spec.labels{}` for the values of a map; empty for the object. */
  field: string;
  reason: string;
}

interface Schema {
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  [keyword: string]: unknown;
}

type Check = (before: unknown, after: unknown) => string | undefined;

/** What people read. */
const harmless: Check = () => undefined;

/** A bound may be given up, or let more pass. */
function bound(name: string, isWider: (before: number, after: number) => boolean): Check {
  return (before, after) => {
    if (after === undefined) return undefined;
    if (before === undefined) return `gets the bound ${name} ${after}`;
    return isWider(before as number, after as number) ? undefined : `${name} changes from ${before} to ${after}`;
  };
}
const lower = (name: string) => bound(name, (before, after) => after <= before);
const upper = (name: string) => bound(name, (before, after) => after >= before);

/** A condition may be given up, and not be made or changed. */
function condition(name: string): Check {
  return (_, after) => (after === undefined || after === false ? undefined : `gets another ${name}: ${text(after)}`);
}

/** Absent is as good as this. */
function fixed(name: string, absent?: unknown): Check {
  return (before = absent, after = absent) =>
    isDeepStrictEqual(before, after) ? undefined : `${name} changes from ${text(before)} to ${text(after)}`;
}

const checks: Readonly<Record<string, Check>> = {
  description: harmless,
  title: harmless,
  example: harmless,
  externalDocs: harmless,
  minimum: lower("minimum"),
  minLength: lower("minLength"),
  minItems: lower("minItems"),
  minProperties: lower("minProperties"),
  maximum: upper("maximum"),
  maxLength: upper("maxLength"),
  maxItems: upper("maxItems"),
  maxProperties: upper("maxProperties"),
  exclusiveMinimum: condition("exclusiveMinimum"),
  exclusiveMaximum: condition("exclusiveMaximum"),
  multipleOf: condition("multipleOf"),
  pattern: condition("pattern"),
  format: condition("format"),
  enum: enumChange,
  default: defaultChange,
  "x-kubernetes-list-type": fixed("x-kubernetes-list-type", "atomic"),
  "x-kubernetes-map-type": fixed("x-kubernetes-map-type", "granular"),
  "x-kubernetes-preserve-unknown-fields": (before, after) =>
    before === true && after !== true ? "does not keep unknown fields any more" : undefined,
  "x-kubernetes-validations": ruleChange,
};
/** Those that have parts of their own. */
const structural = ["properties", "required", "items", "additionalProperties"];

/** All that is unsafe, from the outside in. */
export function schemaChanges(before: object, after: object): SchemaChange[] {
  return changesAt("", before as Schema, after as Schema);
}

function changesAt(field: string, before: Schema, after: Schema): SchemaChange[] {
  const reasons = Object.keys({ ...before, ...after })
    .filter((keyword) => !structural.includes(keyword) && !isDeepStrictEqual(before[keyword], after[keyword]))
    .map((keyword) => (checks[keyword] ?? fixed(keyword))(before[keyword], after[keyword]))
    .filter((reason) => reason !== undefined);
  return [
    ...reasons.map((reason) => ({ field, reason })),
    ...requiredChanges(field, before, after),
    ...propertyChanges(field, before, after),
    ...partChanges(`${field}[]`, before.items, after.items),
    ...partChanges(`${field}{}`, before.additionalProperties, after.additionalProperties),
  ];
}

function requiredChanges(field: string, { required: before = [] }: Schema, { required: after = [] }: Schema) {
  return after
    .filter((name) => !before.includes(name))
    .map((name) => ({ field: below(field, name), reason: "becomes required" }));
}

function propertyChanges(field: string, { properties: before = {} }: Schema, { properties: after = {} }: Schema) {
  return Object.entries(before).flatMap(([name, schema]): SchemaChange[] => {
    const wanted = after[name];
    if (wanted === undefined) return [{ field: below(field, name), reason: "is removed" }];
    return changesAt(below(field, name), schema, wanted);
  });
}

/** Of the elements of a list, or the values of a map. */
function partChanges(field: string, before: Schema | boolean | undefined, after: typeof before): SchemaChange[] {
  if (typeof before === "object" && typeof after === "object") return changesAt(field, before, after);
  return isDeepStrictEqual(before, after) ? [] : [{ field, reason: `changes from ${text(before)} to ${text(after)}` }];
}

function enumChange(before: unknown, after: unknown): string | undefined {
  if (after === undefined) return undefined;
  if (before === undefined) return `takes nothing but ${text(after)} any more`;
  const removed = (before as unknown[]).filter(
    (value) => !(after as unknown[]).some((one) => isDeepStrictEqual(one, value)),
  );
  return removed.length === 0 ? undefined : `does not take ${removed.map(text).join(", ")} any more`;
}

function defaultChange(before: unknown, after: unknown): string | undefined {
  if (before === undefined) return `gets the default ${text(after)}`;
  if (after === undefined) return `loses its default ${text(before)}`;
  return `its default changes from ${text(before)} to ${text(after)}`;
}

/** CEL rules are known by what they say; the words that they refuse with are for people. */
function ruleChange(before: unknown, after: unknown): string | undefined {
  const conditions = (rules: unknown) =>
    ((rules ?? []) as Schema[]).map(({ rule, optionalOldSelf = false }) => ({ rule, optionalOldSelf }));
  const known = conditions(before);
  const added = conditions(after).filter((rule) => !known.some((one) => isDeepStrictEqual(one, rule)));
  if (added.length === 0) return undefined;
  return `gets the rule ${added.map(({ rule }) => text(rule)).join(" and ")}`;
}

function below(field: string, name: string): string {
  return field === "" ? name : `${field}.${name}`;
}

function text(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
