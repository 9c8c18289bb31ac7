// Two values of one object's fields → where they differ, by the paths that people write. A list whose items have names is
// compared by them, and one whose order says nothing as a set: what has only been put in another order is the same.
import { isDeepStrictEqual } from "node:util";

/** One field; the side that has none of it is absent. */
export interface FieldDifference {
  /** Such as `webhooks[validator.kuar.com].timeoutSeconds`; empty: the whole. */
  field: string;
  found?: unknown;
  wanted?: unknown;
}

type JsonObject = Record<string, unknown>;
export type Comparison =
  | "whole"
  /** Only what is wanted counts: what is found beside it may be a default of the server's. */
  | "wanted";

/** Lists of texts whose order says nothing. */
const sets = new Set([
  ...["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs", "apiVersions", "operations"],
  ...["required", "enum", "shortNames", "categories", "validationActions", "policyTypes", "add", "drop"],
]);

/** Empty when both are the same. */
export function differencesOf(found: unknown, wanted: unknown, comparison: Comparison = "whole"): FieldDifference[] {
  return compare("", found, wanted, comparison);
}

function compare(field: string, found: unknown, wanted: unknown, comparison: Comparison): FieldDifference[] {
  if (isDeepStrictEqual(found, wanted)) return [];
  if (comparison === "wanted" && (wanted === undefined || (found === undefined && isEmpty(wanted)))) return [];
  if (isObject(found) && isObject(wanted)) return compareObjects(field, found, wanted, comparison);
  if (Array.isArray(found) && Array.isArray(wanted)) return compareLists(field, found, wanted, comparison);
  return [differenceAt(field, found, wanted)];
}

function compareObjects(
  field: string,
  found: JsonObject,
  wanted: JsonObject,
  comparison: Comparison,
): FieldDifference[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  return names.flatMap((name) => compare(joined(field, name), found[name], wanted[name], comparison));
}

function compareLists(
  field: string,
  found: readonly unknown[],
  wanted: readonly unknown[],
  comparison: Comparison,
): FieldDifference[] {
  const foundItems = byIdentity(found);
  const wantedItems = byIdentity(wanted);
  if (foundItems !== undefined && wantedItems !== undefined) {
    // An item too many is none of the server's defaults.
    return [...new Set([...wantedItems.keys(), ...foundItems.keys()])].flatMap((key) => {
      const place = `${field}[${key}]`;
      return wantedItems.has(key)
        ? compare(place, foundItems.get(key), wantedItems.get(key), comparison)
        : [differenceAt(place, foundItems.get(key), undefined)];
    });
  }
  const isSet = sets.has(field.slice(field.lastIndexOf(".") + 1));
  if (isSet && isDeepStrictEqual(sorted(found), sorted(wanted))) return [];
  return [differenceAt(field, found, wanted)];
}

/** The items by what tells them apart; undefined for a list in which nothing does. */
function byIdentity(items: readonly unknown[]): Map<string, unknown> | undefined {
  const entries = items.map((item) => [isObject(item) ? identityOf(item) : undefined, item] as const);
  const known = entries.filter((entry): entry is readonly [string, unknown] => entry[0] !== undefined);
  const map = new Map(known);
  return map.size === items.length ? map : undefined;
}

function identityOf(item: JsonObject): string | undefined {
  const { name, kind, namespace, rule, expression, message } = item;
  const { apiGroups, resources, resourceNames, nonResourceURLs } = item;
  if (typeof name === "string") {
    return typeof kind === "string" ? [kind, namespace, name].filter((part) => part !== undefined).join("/") : name;
  }
  if (typeof rule === "string") return rule;
  if (typeof expression === "string") return typeof message === "string" ? message : expression;
  if (Array.isArray(nonResourceURLs)) return sorted(nonResourceURLs).join(",");
  if (!Array.isArray(resources)) return undefined;
  const groups = (Array.isArray(apiGroups) ? sorted(apiGroups) : []).filter((group) => group !== "");
  const names = Array.isArray(resourceNames) ? ` ${sorted(resourceNames).join(",")}` : "";
  const what = sorted(resources).join(",");
  return (groups.length === 0 ? what : `${what}.${groups.join(",")}`) + names;
}

function sorted(items: readonly unknown[]): unknown[] {
  return items.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

function differenceAt(field: string, found: unknown, wanted: unknown): FieldDifference {
  return {
    field,
    ...(found === undefined ? {} : { found }),
    ...(wanted === undefined ? {} : { wanted }),
  };
}

function joined(field: string, name: string): string {
  const segment = /^[\w$-]+$/.test(name) ? name : `[${name}]`;
  return field === "" || segment.startsWith("[") ? field + segment : `${field}.${segment}`;
}

/** Servers do not store it. */
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
