import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canaryResource } from "../../lib/manifest/canary-resource.ts";
import { unsafeChanges } from "../../lib/manifest/crd-upgrade.ts";
import { loadTestResource } from "../../lib/manifest/load-test-resource.ts";
import { loadTestResultResource } from "../../lib/manifest/load-test-result-resource.ts";
import type { Manifest } from "../../lib/manifest/manifest.ts";

type Fields = Record<string, unknown>;

/** A definition of one version whose spec has this schema. */
function withSpec(spec: Fields, more: { spec?: Fields; version?: Fields; status?: Fields } = {}): Manifest {
  const openAPIV3Schema = { type: "object", properties: { spec: { type: "object", ...spec } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema }, ...more.version }],
      ...more.spec,
    },
    status: more.status ?? { storedVersions: ["v1"] },
  };
}
const withField = (field: Fields) => withSpec({ properties: { a: field } });
const changes = (live: Manifest, wanted: Manifest) =>
  unsafeChanges(live, wanted).map(({ path, reason }) => `${path} ${reason}`);

describe("unsafeChanges() of a field", () => {
  const text = { type: "string" };
  const number = { type: "integer" };
  const unsafe: [what: string, before: Fields, after: Fields, found: string][] = [
    ["another type", text, number, 'type changes from "string" to "integer"'],
    ["a type where there was none", {}, text, 'type changes from nothing to "string"'],
    ["a new default", text, { ...text, default: "x" }, 'gets the default "x"'],
    ["another default", { ...text, default: "x" }, { ...text, default: "y" }, 'its default changes from "x" to "y"'],
    ["a default less", { ...text, default: "x" }, text, 'loses its default "x"'],
    ["an enum value less", { ...text, enum: ["x", "y"] }, { ...text, enum: ["y"] }, 'does not take "x" any more'],
    ["a new enum", text, { ...text, enum: ["x"] }, 'takes nothing but ["x"] any more'],
    ["a higher minimum", { ...number, minimum: 1 }, { ...number, minimum: 2 }, "minimum changes from 1 to 2"],
    ["a lower maximum", { ...number, maximum: 2 }, { ...number, maximum: 1 }, "maximum changes from 2 to 1"],
    ["a new minimum", number, { ...number, minimum: 0 }, "gets the bound minimum 0"],
    ["a new maxLength", text, { ...text, maxLength: 9 }, "gets the bound maxLength 9"],
    [
      "an exclusive bound",
      { minimum: 1 },
      { minimum: 1, exclusiveMinimum: true },
      "gets another exclusiveMinimum: true",
    ],
    ["another multipleOf", { multipleOf: 2 }, { multipleOf: 3 }, "gets another multipleOf: 3"],
    ["a new pattern", text, { ...text, pattern: "^x" }, 'gets another pattern: "^x"'],
    ["another pattern", { ...text, pattern: "^x" }, { ...text, pattern: "^y" }, 'gets another pattern: "^y"'],
    ["a new format", text, { ...text, format: "date" }, 'gets another format: "date"'],
    ["null refused", { ...text, nullable: true }, text, "nullable changes from true to nothing"],
    ["null taken", text, { ...text, nullable: true }, "nullable changes from nothing to true"],
    [
      "unknown fields dropped",
      { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      { type: "object" },
      "does not keep unknown fields any more",
    ],
    [
      "a list as a set",
      { type: "array", items: text },
      { type: "array", items: text, "x-kubernetes-list-type": "set" },
      'x-kubernetes-list-type changes from "atomic" to "set"',
    ],
    ["a keyword nobody knows", text, { ...text, "x-new": 1 }, "x-new changes from nothing to 1"],
    ["a choice", {}, { oneOf: [{ required: ["x"] }] }, 'oneOf changes from nothing to [{"required":["x"]}]'],
  ];
  test.each(unsafe)("%s is unsafe", (_, before, after, found) => {
    expect(changes(withField(before), withField(after))).toEqual([`v1: spec.a ${found}`]);
  });

  const safe: [what: string, before: Fields, after: Fields][] = [
    ["a description", text, { ...text, description: "words" }],
    ["an enum value more", { ...text, enum: ["x"] }, { ...text, enum: ["y", "x"] }],
    ["no enum any more", { ...text, enum: ["x"] }, text],
    ["a lower minimum", { ...number, minimum: 1 }, { ...number, minimum: 0 }],
    ["a higher maximum", { ...number, maximum: 1 }, { ...number, maximum: 2 }],
    ["no bounds any more", { minimum: 1, maximum: 2, minLength: 1, pattern: "x", multipleOf: 2 }, {}],
    ["an inclusive bound", { minimum: 1, exclusiveMinimum: true }, { minimum: 1, exclusiveMinimum: false }],
    ["unknown fields kept", {}, { "x-kubernetes-preserve-unknown-fields": true }],
    ["a list said to be what it is", { type: "array" }, { type: "array", "x-kubernetes-list-type": "atomic" }],
  ];
  test.each(safe)("%s is safe", (_, before, after) => {
    expect(changes(withField(before), withField(after))).toEqual([]);
  });
});

describe("unsafeChanges() of what a field is in", () => {
  const a = { properties: { a: { type: "string" } } };
  const both = { properties: { ...a.properties, b: { type: "string", default: "x", maxLength: 3 } } };
  const rule = (text: string, more: Fields = {}) => ({ "x-kubernetes-validations": [{ rule: text, ...more }] });

  test("a field less is unsafe, wherever it is", () => {
    expect(changes(withSpec(both), withSpec(a))).toEqual(["v1: spec.b is removed"]);
    const list = (items: Fields) => withField({ type: "array", items });
    const map = (additionalProperties: Fields) => withField({ type: "object", additionalProperties });
    expect(changes(list(both), list(a))).toEqual(["v1: spec.a[].b is removed"]);
    expect(changes(map(both), map(a))).toEqual(["v1: spec.a{}.b is removed"]);
  });

  test("an optional field more is safe, with whatever bounds and default", () => {
    expect(changes(withSpec(a), withSpec(both))).toEqual([]);
  });

  test("a required field is unsafe, be it new or not; one that is required no more is safe", () => {
    const required = { required: ["b"] };
    expect(changes(withSpec(a), withSpec({ ...both, ...required }))).toEqual(["v1: spec.b becomes required"]);
    expect(changes(withSpec(both), withSpec({ ...both, ...required }))).toEqual(["v1: spec.b becomes required"]);
    expect(changes(withSpec({ ...both, ...required }), withSpec(both))).toEqual([]);
  });

  test("a new CEL rule is unsafe; a rule less, and other words for one, are safe", () => {
    expect(changes(withSpec(a), withSpec({ ...a, ...rule("self.a != ''") }))).toEqual([
      `v1: spec gets the rule "self.a != ''"`,
    ]);
    expect(changes(withSpec({ ...a, ...rule("true") }), withSpec(a))).toEqual([]);
    expect(changes(withSpec({ ...a, ...rule("true", { message: "x" }) }), withSpec({ ...a, ...rule("true") }))).toEqual(
      [],
    );
  });

  test("elements and values that come, go or turn into something else are unsafe", () => {
    const map = { type: "object", additionalProperties: { type: "string" } };
    expect(changes(withField(map), withField({ type: "object" }))).toEqual([
      'v1: spec.a{} changes from {"type":"string"} to nothing',
    ]);
    expect(changes(withField({ type: "array" }), withField({ type: "array", items: {} }))).toEqual([
      "v1: spec.a[] changes from nothing to {}",
    ]);
  });
});

describe("unsafeChanges() of a definition", () => {
  const versions = (...list: Fields[]) => withSpec({}, { spec: { versions: list } });
  const v1 = { name: "v1", served: true, storage: true };
  const v2 = { name: "v2", served: true, storage: false };
  const version = (more: Fields) => withSpec({}, { version: more });

  const unsafe: [what: string, live: Manifest, wanted: Manifest, found: string[]][] = [
    [
      "another scope",
      withSpec({}),
      withSpec({}, { spec: { scope: "Cluster" } }),
      ["scope changes from Namespaced to Cluster"],
    ],
    [
      "another name",
      withSpec({}),
      withSpec({}, { spec: { names: { kind: "Thing", plural: "things", singular: "th" } } }),
      ["names.singular changes from thing to th"],
    ],
    [
      "another conversion",
      withSpec({}),
      withSpec({}, { spec: { conversion: { strategy: "Webhook" } } }),
      ["conversion.strategy changes from None to Webhook"],
    ],
    ["a served version less", versions(v1, v2), versions(v1), ["v2 the version is removed, and is served"]],
    [
      "a version that is not served any more",
      versions(v1, v2),
      versions(v1, { ...v2, served: false }),
      ["v2 the version is not served any more"],
    ],
    [
      "a stored version less, though it is not served",
      versions({ ...v1, served: false }, v2),
      versions(v2),
      ["v1 the version is removed, and objects are stored in it"],
    ],
    [
      "a subresource less",
      version({ subresources: { status: {} } }),
      version({}),
      ["v1 the subresource status is removed"],
    ],
    [
      "a subresource more",
      version({}),
      version({ subresources: { status: {} } }),
      ["v1 the subresource status is added: writes to the object leave it out from then on"],
    ],
    [
      "a field that cannot be selected by any more",
      version({ selectableFields: [{ jsonPath: ".spec.a" }] }),
      version({}),
      ["v1 the field .spec.a can not be selected by any more"],
    ],
    [
      "something that nobody knows",
      version({}),
      version({ novelty: true }),
      ["v1 novelty changes, and what that means is not known"],
    ],
  ];
  test.each(unsafe)("%s is unsafe", (_, live, wanted, found) => {
    expect(changes(live, wanted)).toEqual(found);
  });

  const safe: [what: string, live: Manifest, wanted: Manifest][] = [
    ["the same, just made", withSpec({}, { status: { storedVersions: null } }), withSpec({})],
    ["a version more", versions(v1), versions(v1, v2)],
    ["another version for storage", versions(v1, v2), versions({ ...v1, storage: false }, { ...v2, storage: true })],
    [
      "other columns",
      version({}),
      version({ additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".a" }] }),
    ],
    ["a deprecation", version({}), version({ deprecated: true, deprecationWarning: "use v2" })],
    [
      "short names, and names that the API server would fill in",
      withSpec({}),
      withSpec({}, { spec: { names: { kind: "Thing", plural: "things", singular: "thing", shortNames: ["t"] } } }),
    ],
    ["a version less that is neither served nor stored", versions({ ...v2, served: false }, v1), versions(v1)],
  ];
  test.each(safe)("%s is safe", (_, live, wanted) => {
    expect(changes(live, wanted)).toEqual([]);
  });
});

describe("unsafeChanges() of our own kinds", () => {
  const kinds = [loadTestResource(), canaryResource(), loadTestResultResource()];

  test("each may take its own place", () => {
    for (const kind of kinds) expect(unsafeChanges(kind, kind)).toEqual([]);
  });

  test("whatever is taken out of a schema is for people only, or unsafe in one direction of the two", () => {
    const paths = kinds.flatMap((kind, index) => schemaPaths(kind).map((path) => ({ index, path })));
    fc.assert(
      fc.property(fc.constantFrom(...paths), ({ index, path }) => {
        const kind = kinds[index] as Manifest;
        const less = without(kind, path);
        const isField = path.at(-2) === "properties";
        const isForPeople =
          !isField &&
          (path.at(-1) === "description" || (path.at(-1) === "x-kubernetes-list-type" && at(kind, path) === "atomic"));
        const found = [...unsafeChanges(kind, less), ...unsafeChanges(less, kind)];
        expect([path.join("."), found.length > 0]).toEqual([path.join("."), !isForPeople]);
        if (isField) expect(unsafeChanges(kind, less).map(({ reason }) => reason)).toEqual(["is removed"]);
      }),
      { numRuns: 400 },
    );
  });
});

/** The path of every keyword and field of a definition's schema. */
function schemaPaths(kind: Manifest): string[][] {
  const root = ["spec", "versions", "0", "schema", "openAPIV3Schema"];
  const visit = (schema: Fields, path: string[]): string[][] =>
    Object.entries(schema).flatMap(([keyword, value]) => {
      const here = [...path, keyword];
      if (keyword === "properties") {
        return Object.entries(value as Record<string, Fields>).flatMap(([name, field]) => [
          [...here, name],
          ...visit(field, [...here, name]),
        ]);
      }
      if (keyword === "items" || keyword === "additionalProperties") return [here, ...visit(value as Fields, here)];
      return [here];
    });
  return visit(at(kind, root) as Fields, root);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((parent, name) => (parent as Fields)[name], value);
}

function without(kind: Manifest, path: readonly string[]): Manifest {
  const copy = structuredClone(kind) as Manifest;
  delete (at(copy, path.slice(0, -1)) as Fields)[path.at(-1) as string];
  return copy;
}
