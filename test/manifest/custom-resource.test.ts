import { expect, test } from "bun:test";
import Type from "typebox";
import { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { openApiSchema } from "../../lib/manifest/custom-resource.ts";

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
