// An object as a manifest holds it: what every object has, and fields that are only ever written.
import type { KubeObject } from "../plan/objects.ts";

export type Manifest = KubeObject & { readonly [field: string]: unknown };
