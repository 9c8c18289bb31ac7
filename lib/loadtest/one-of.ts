// One of some words, as a schema that CRDs understand (typebox makes a union of constants of it).
import Type from "typebox";

export function oneOf<const T extends string>(values: readonly T[], options: object) {
  return Type.Unsafe<T>({ type: "string", enum: [...values], ...options });
}
