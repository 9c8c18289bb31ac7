// What the defaulting webhook writes into a LoadTest: `paths`, so that the stored object says what is requested.
// Nothing else is filled in, and f(f(x)) = f(x).
import { isDeepStrictEqual } from "node:util";
import { defaultPaths } from "./defaults.ts";

type Spec = { paths?: unknown; requests?: unknown };
type MaybeLoadTest = { spec?: unknown };

/**
 * `object` with its defaults; the same object where there is nothing to do, as where it is not well-formed.
 *
 * @param before What is stored so far, on an update. A default of its own does not stand in the way of `requests`.
 */
export function withDefaults<T extends MaybeLoadTest>(object: T, before?: MaybeLoadTest): T {
  const { spec } = object;
  if (!isSpec(spec)) return object;
  const { paths, ...rest } = spec;
  if ((spec.requests ?? undefined) === undefined) {
    const isAbsent = (paths ?? undefined) === undefined || (Array.isArray(paths) && paths.length === 0);
    return isAbsent ? { ...object, spec: { ...spec, paths: [...defaultPaths] } } : object;
  }
  const hadDefault = isSpec(before?.spec) && before.spec.requests === undefined && isDefault(before.spec.paths);
  return hadDefault && isDefault(paths) ? { ...object, spec: rest } : object;
}

function isSpec(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDefault(paths: unknown): boolean {
  return isDeepStrictEqual(paths, defaultPaths);
}
