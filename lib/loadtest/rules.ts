// What a JSON Schema cannot say, once: each rule stands here in CEL for the API server and in TypeScript for the
// validator. A cluster test holds the two to the same verdicts.
import { parseDuration } from "./duration.ts";
import type { LoadTestSpec } from "./load-test.ts";

export interface Rule {
  /** What the error names, a path below `spec`. */
  field: string;
  /** Where the CRD attaches the rule, a path below `spec`: `field` itself, or "" for the whole spec. */
  at: string;
  /** CEL over `self`, the value at `at`. */
  cel: string;
  /** Fields of the spec that the rule reads; it is judged only where the schema finds nothing wrong in them. */
  reads: readonly (keyof LoadTestSpec)[];
  /** Ends the error message. */
  mustBe: string;
  /** Whether a spec that fits the schema breaks the rule. */
  isBroken: (spec: LoadTestSpec) => boolean;
}

function isOutside(text: string | undefined, least: string, most: string): boolean {
  if (text === undefined) return false;
  const ns = parseDuration(text) as number;
  return ns < (parseDuration(least) as number) || ns > (parseDuration(most) as number);
}

function durationRule(field: "duration" | "timeout", least: string, most: string): Rule {
  return {
    field,
    at: field,
    reads: [field],
    cel: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
    mustBe: `a duration from ${least} to ${most}`,
    isBroken: (spec) => isOutside(spec[field], least, most),
  };
}

export const specRules: readonly Rule[] = [
  durationRule("duration", "1s", "168h"),
  durationRule("timeout", "1ms", "10m"),
  {
    field: "tls",
    at: "",
    reads: ["tls", "scheme"],
    cel: "self.scheme == 'https' || !has(self.tls)",
    mustBe: "absent unless scheme is https",
    isBroken: (spec) => spec.tls !== undefined && spec.scheme !== "https",
  },
  {
    field: "tls.caFrom",
    at: "tls.caFrom",
    reads: ["tls"],
    cel: "has(self.configMapKeyRef) != has(self.secretKeyRef)",
    mustBe: "an object with exactly one of configMapKeyRef and secretKeyRef",
    isBroken: ({ tls }) =>
      tls?.caFrom !== undefined &&
      (tls.caFrom.configMapKeyRef === undefined) === (tls.caFrom.secretKeyRef === undefined),
  },
];
