// The API server drops a null from an object's field before anybody else looks, where the schema does not allow it
// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable).
// Nulls in lists stay, and so do those in fields that the schema does not know.

interface Schema {
  properties?: Record<string, Schema>;
  /** Of a map's values; false for an object without other fields. */
  additionalProperties?: Schema | boolean;
  items?: Schema;
}

/** `value` without those nulls; the same value where there are none. */
export function withoutNulls(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withoutNulls(item, items));
  }
  const { properties = {}, additionalProperties } = schema;
  if (typeof value !== "object" || value === null) return value;
  const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const kept = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const known = Object.hasOwn(properties, name) ? properties[name] : others;
    if (known === undefined) return [[name, field]];
    return field === null ? [] : [[name, withoutNulls(field, known)]];
  });
  return Object.fromEntries(kept);
}
