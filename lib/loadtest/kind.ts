// The kinds of the API group: what is said of an object of either, whoever asks.
import { apiGroup, apiVersion } from "./api-group.ts";
import { CanaryManifest, canaryRules } from "./canary.ts";
import type { FieldError } from "./field-error.ts";
import { LoadTestManifest, type LoadTestSpec } from "./load-test.ts";
import { loadTestRules } from "./load-test-rules.ts";
import { loadTestWarnings } from "./load-test-warnings.ts";
import { createValidator } from "./validator.ts";

export interface Kind {
  kind: "LoadTest" | "Canary";
  /** Every wrong field of an object, in the order of its fields; empty when it is well-formed. */
  validate: (object: unknown) => FieldError[];
  /** What is allowed, but may not be meant, in a well-formed object. */
  warn: (object: { spec: object }) => string[];
}

export const loadTestKind: Kind = {
  kind: "LoadTest",
  validate: createValidator(LoadTestManifest, loadTestRules),
  warn: ({ spec }) => loadTestWarnings(spec as LoadTestSpec),
};

export const canaryKind: Kind = {
  kind: "Canary",
  validate: createValidator(CanaryManifest, canaryRules),
  warn: () => [],
};

const kinds: readonly Kind[] = [loadTestKind, canaryKind];

/** The kind of an object of our group, or that is called as one of ours; undefined: the object is somebody else's. */
export function kindOf(object: unknown): Kind | undefined {
  const { kind, apiVersion: version } = (object ?? {}) as Record<string, unknown>;
  const named = kinds.find((one) => one.kind === kind);
  if (named !== undefined) return named;
  return typeof version === "string" && version.startsWith(`${apiGroup}/`) ? loadTestKind : undefined;
}

/** The kind of this name in the one version of our group. */
export function kindNamed(kind: string, version: string): Kind | undefined {
  return version === apiVersion ? kinds.find((one) => one.kind === kind) : undefined;
}
