import { expect, test } from "bun:test";
import fc from "fast-check";
import { type JsonShape, shapeOf } from "../../lib/webhook/json-shape.ts";

/** The shape of a value, the obvious way. */
function obviousShape(value: unknown): JsonShape {
  if (typeof value !== "object" || value === null) return { depth: 0, members: 0 };
  const inner = Object.values(value).map(obviousShape);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    members: inner.reduce((sum, { members }) => sum + members, Math.max(1, inner.length)),
  };
}

const hostileText = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", "é", "😀") });
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 6, depthSize: "large" },
    fc.constantFrom(null, true, 0, -1.5),
    hostileText,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(hostileText, tie("json"), { maxKeys: 3 }),
  ),
}));

test("the shape of a JSON text is that of its value", () => {
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
      expect(shapeOf(JSON.stringify(value, null, indent))).toEqual(obviousShape(value));
    }),
    { numRuns: 3000 },
  );
});

test("what is no JSON is looked at as well, and ends", () => {
  fc.assert(fc.property(hostileText, (text) => shapeOf(text).members <= text.length));
  expect(shapeOf('{"a":"\\')).toEqual({ depth: 1, members: 1 });
  expect(shapeOf('"[[[[')).toEqual({ depth: 0, members: 0 });
  expect(shapeOf("]]]][[")).toEqual({ depth: 0, members: 2 });
});

test("a million brackets are a depth of a million", () => {
  expect(shapeOf("[".repeat(1_000_000)).depth).toBe(1_000_000);
});
