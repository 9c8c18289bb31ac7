// The kinds of the API group: what is said of an object of either, whoever asks.
import { apiGroup, apiVersion } from "./api-group.ts";
import { CanaryManifest, canaryRules } from "./canary.ts";
import type { FieldError } from "./field-error.ts";
import { LoadTestManifest } from "./load-test.ts";
import { loadTestRules } from "./load-test-rules.ts";
import { loadTestWarnings } from "./load-test-warnings.ts";
import { withoutNulls } from "./nulls.ts";
import type { Rule } from "./rule.ts";
import { createValidator } from "./validator.ts";

/** What there is to say of an object. */
export interface Verdict {
  /** Every wrong field, by the schema first, then by the rules; empty when it is well-formed. */
  errors: FieldError[];
  /** What is allowed, but may not be meant; nothing while there are errors. */
  warnings: string[];
  /** As the API server reads it: null is as good as absent where it may not stand. */
  object: unknown;
}

export interface Kind {
  kind: "LoadTest" | "Canary";
  judge: (object: unknown) => Verdict;
}

export const loadTestKind = createKind("LoadTest", LoadTestManifest, loadTestRules, loadTestWarnings);
export const canaryKind = createKind("Canary", CanaryManifest, canaryRules, () => []);

function createKind<Spec extends object>(
  kind: Kind["kind"],
  schema: object,
  rules: readonly Rule<Spec>[],
  warnings: (spec: Spec) => string[],
): Kind {
  const validate = createValidator(schema, rules);
  return {
    kind,
    judge: (given) => {
      const object = withoutNulls(given, schema);
      const errors = validate(object);
      return { object, errors, warnings: errors.length === 0 ? warnings((object as { spec: Spec }).spec) : [] };
    },
  };
}

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
