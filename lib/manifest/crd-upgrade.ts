// Whether a CustomResourceDefinition may take the place of another one: every object that is stored must stay valid and
// whole, and every client that works must go on working. What is not known to be safe is unsafe, as in OLM's CRD upgrade
// safety (https://operator-framework.github.io/operator-controller/concepts/crd-upgrade-safety/).
import type { KubeObject } from "../plan/objects.ts";
import { schemaChanges } from "./schema-change.ts";

/** A change that may lose data or break clients. */
export interface UnsafeChange {
  /** `scope`, `v1`, or with a field `v1: spec.paths[]`. */
  path: string;
  /** What is so; the change is named so that one can look for it. */
  reason: string;
}

interface DefinitionSpec {
  group?: string;
  scope?: string;
  names?: Record<string, unknown>;
  conversion?: { strategy?: string };
  preserveUnknownFields?: boolean;
  versions?: Version[];
}

interface Version {
  name: string;
  served?: boolean;
  storage?: boolean;
  subresources?: Record<string, unknown>;
  selectableFields?: { jsonPath: string }[];
  schema?: { openAPIV3Schema?: object };
}

/** Names of the kind that clients use; short names and categories are only for people. */
const lastingNames = ["kind", "listKind", "plural", "singular"];
/** What may change in a version beside its schema; `storage` is judged by the versions that are stored. */
const freeFields = [
  "additionalPrinterColumns",
  "deprecated",
  "deprecationWarning",
  "name",
  "served",
  "storage",
  "schema",
];

/**
 * All that is unsafe in replacing `live` by `wanted`; empty: nothing is. Both as the API server has them: `wanted` is best
 * the outcome of a dry run, with the defaults filled in and the fields that others have added.
 */
export function unsafeChanges(live: KubeObject, wanted: KubeObject): UnsafeChange[] {
  const before = specOf(live);
  const after = specOf(wanted);
  const storedVersions = (live as { status?: { storedVersions?: string[] | null } }).status?.storedVersions ?? [];
  const versionsAfter = new Map((after.versions ?? []).map((version) => [version.name, version]));
  return [
    ...valueChanges(before, after),
    ...storedVersions
      .filter((name) => !versionsAfter.has(name))
      .map((name) => ({ path: name, reason: "the version is removed, and objects are stored in it" })),
    ...(before.versions ?? [])
      .filter(({ name, served = false }) => served || versionsAfter.has(name))
      .flatMap((version) => versionChanges(version, versionsAfter.get(version.name))),
  ];
}

function specOf(definition: KubeObject): DefinitionSpec {
  return (definition as { spec?: DefinitionSpec }).spec ?? {};
}

function valueChanges(before: DefinitionSpec, after: DefinitionSpec): UnsafeChange[] {
  const values = (spec: DefinitionSpec): [string, unknown][] => [
    ["group", spec.group],
    ["scope", spec.scope],
    ...lastingNames.map((name): [string, unknown] => [`names.${name}`, spec.names?.[name] ?? defaultName(name, spec)]),
    ["conversion.strategy", spec.conversion?.strategy ?? "None"],
    ["preserveUnknownFields", spec.preserveUnknownFields ?? false],
  ];
  const others = new Map(values(after));
  return values(before)
    .filter(([path, value]) => value !== others.get(path))
    .map(([path, value]) => ({ path, reason: `changes from ${value} to ${others.get(path)}` }));
}

/** As the API server fills them in. */
function defaultName(name: string, { names = {} }: DefinitionSpec): string | undefined {
  const kind = String(names["kind"]);
  return { listKind: `${kind}List`, singular: kind.toLowerCase() }[name];
}

function versionChanges(before: Version, after: Version | undefined): UnsafeChange[] {
  const { name } = before;
  if (after === undefined) return [{ path: name, reason: "the version is removed, and is served" }];
  const changes: UnsafeChange[] = [];
  if (before.served && !after.served) changes.push({ path: name, reason: "the version is not served any more" });
  for (const change of [...subresourceChanges(before, after), ...selectorChanges(before, after)]) {
    changes.push({ path: name, reason: change });
  }
  const known = [...freeFields, "subresources", "selectableFields"];
  for (const field of Object.keys({ ...before, ...after }).filter((field) => !known.includes(field))) {
    const [one, other] = [before, after].map((version) => JSON.stringify((version as object as Fields)[field]));
    if (one !== other) changes.push({ path: name, reason: `${field} changes, and what that means is not known` });
  }
  const schemas = [before, after].map(({ schema }) => schema?.openAPIV3Schema ?? {}) as [object, object];
  for (const { field, reason } of schemaChanges(...schemas)) {
    changes.push({ path: field === "" ? name : `${name}: ${field}`, reason });
  }
  return changes;
}

type Fields = Record<string, unknown>;

function subresourceChanges(before: Version, after: Version): string[] {
  const { subresources: had = {} } = before;
  const { subresources: has = {} } = after;
  return Object.keys({ ...had, ...has }).flatMap((name) => {
    if (!(name in has)) return [`the subresource ${name} is removed`];
    if (!(name in had)) return [`the subresource ${name} is added: writes to the object leave it out from then on`];
    return JSON.stringify(had[name]) === JSON.stringify(has[name]) ? [] : [`the subresource ${name} changes`];
  });
}

function selectorChanges(before: Version, after: Version): string[] {
  const has = new Set((after.selectableFields ?? []).map(({ jsonPath }) => jsonPath));
  return (before.selectableFields ?? [])
    .filter(({ jsonPath }) => !has.has(jsonPath))
    .map(({ jsonPath }) => `the field ${jsonPath} can not be selected by any more`);
}
