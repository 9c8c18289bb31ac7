import { expect, test } from "bun:test";
import Type from "typebox";
import { loadTestKind } from "../../lib/loadtest/kind.ts";
import { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { openApiSchema } from "../../lib/manifest/custom-resource.ts";
import { sampleLoadTest, sampleWorkerPods } from "../../lib/manifest/sample.ts";

test("a closed object loses its word, a map keeps the schema of its values", () => {
  const values = { type: "integer", minimum: 1 };
  const schema = Type.Object(
    { map: Type.Unsafe<Record<string, number>>({ type: "object", additionalProperties: values, mustBe: "a map" }) },
    { additionalProperties: false },
  );
  expect(openApiSchema(schema)).toEqual({
    type: "object",
    required: ["map"],
    properties: { map: { type: "object", additionalProperties: values } },
  });
});

test("the status is structural: one type everywhere, and nothing that a CRD forbids", () => {
  const visit = (schema: Record<string, unknown>): void => {
    expect(typeof schema["type"]).toBe("string");
    for (const word of ["patternProperties", "const", "$id", "$ref", "anyOf"])
      expect(schema).not.toHaveProperty([word]);
    const properties = Object.values((schema["properties"] ?? {}) as object);
    const below = [...properties, schema["items"], schema["additionalProperties"]].filter((one) => one !== undefined);
    for (const one of below) visit(one as Record<string, unknown>);
  };
  visit(openApiSchema(LoadTestStatus));
});

test("every field of a spec is explained, and bounded: lists, maps and texts without a set of values", () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    const properties = Object.entries((schema["properties"] ?? {}) as Record<string, Record<string, unknown>>);
    for (const [name, field] of properties) {
      expect([`${path}.${name}`, typeof field["description"]]).toEqual([`${path}.${name}`, "string"]);
      visit(field, `${path}.${name}`);
    }
    const isBounded =
      { array: "maxItems" in schema, string: "maxLength" in schema || "enum" in schema }[String(schema["type"])] ??
      (!("additionalProperties" in schema) || "maxProperties" in schema);
    expect([path, isBounded]).toEqual([path, true]);
    for (const word of ["items", "additionalProperties"]) {
      if (word in schema) visit(schema[word] as Record<string, unknown>, `${path}[]`);
    }
  };
  visit(openApiSchema(LoadTestSpec), "spec");
});

test("an amount is an integer or a text, as in a Pod", () => {
  const { limits } = openApiSchema(LoadTestSpec.properties.podTemplate.properties.resources)["properties"] as {
    limits: { properties: { cpu: object } };
  };
  expect(limits.properties.cpu).toMatchObject({ "x-kubernetes-int-or-string": true });
  expect(limits.properties.cpu).not.toHaveProperty("type");
});

test("the samples are well-formed", () => {
  for (const sample of [sampleLoadTest, sampleWorkerPods]) expect(loadTestKind.judge(sample).errors).toEqual([]);
});
