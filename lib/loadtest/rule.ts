// What a JSON Schema cannot say of a spec, once: a rule stands in CEL for the API server and in TypeScript for the
// validator. A cluster test holds the two to the same verdicts.

export interface Rule<Spec> {
  /** What the error names, a path below `spec`. */
  field: string;
  /** Where the CRD attaches the rule, a path below `spec`: `field` itself, or "" for the whole spec. */
  at: string;
  /** CEL over `self`, the value at `at`. */
  cel: string;
  /** Fields of the spec that the rule reads; it is judged only where the schema finds nothing wrong in them. */
  reads: readonly (keyof Spec & string)[];
  /** Ends the error message. */
  mustBe: string;
  /** A number to add to the message: `words` with %d for it, in CEL over `self` and in TypeScript. */
  but?: { words: string; cel: string; of: (spec: Spec) => number };
  /** Whether a spec that fits the schema breaks the rule. */
  isBroken: (spec: Spec) => boolean;
}
