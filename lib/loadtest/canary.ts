// The Canary kind: Services and their shares of the traffic. It is just data; who reads it acts on it.
import Type, { type Static } from "typebox";
import { apiVersion } from "./api-group.ts";
import { clientMetadata, dnsSubdomain, serviceName } from "./metadata.ts";
import type { Rule } from "./rule.ts";

const CanaryBackend = Type.Object(
  {
    service: serviceName({ description: "Name of the Service, in the namespace of the Canary." }),
    percent: Type.Integer({
      description: "Its share of the requests. The percents of all backends sum to 100.",
      minimum: 0,
      maximum: 100,
      mustBe: "an integer from 0 to 100",
    }),
  },
  {
    additionalProperties: false,
    description: "A Service and its share.",
    mustBe: "an object with the fields service and percent",
  },
);

export const CanarySpec = Type.Object(
  {
    backends: Type.Array(CanaryBackend, {
      description: "The Services that share the requests, each of them once.",
      minItems: 1,
      maxItems: 16,
      "x-kubernetes-list-type": "atomic",
      mustBe: "a list of 1 to 16 backends",
    }),
  },
  {
    additionalProperties: false,
    description: "How requests are shared.",
    mustBe: "an object with the field backends",
  },
);
export type CanarySpec = Static<typeof CanarySpec>;

/** A Canary as a client sends it. */
export const CanaryManifest = Type.Object(
  {
    apiVersion: Type.Literal(apiVersion, { mustBe: apiVersion }),
    kind: Type.Literal("Canary", { mustBe: "Canary" }),
    metadata: clientMetadata({ pattern: dnsSubdomain, maxLength: 253, mustBe: "a DNS name of at most 253 characters" }),
    spec: CanarySpec,
  },
  { additionalProperties: false, mustBe: "a Canary" },
);
export type CanaryManifest = Static<typeof CanaryManifest>;

/** A Canary as the API server stores it. */
export interface Canary {
  metadata: { name: string; namespace: string };
  spec: CanarySpec;
}

export const canaryRules: readonly Rule<CanarySpec>[] = [
  {
    field: "backends",
    at: "backends",
    reads: ["backends"],
    cel: "self.map(backend, backend.percent).sum() == 100",
    mustBe: "backends whose percents sum to 100",
    but: { words: "not to %d", cel: "self.map(backend, backend.percent).sum()", of: percentSum },
    isBroken: (spec) => percentSum(spec) !== 100,
  },
  {
    field: "backends",
    at: "backends",
    reads: ["backends"],
    cel: "self.all(backend, self.exists_one(other, other.service == backend.service))",
    mustBe: "backends with a Service of their own each",
    isBroken: ({ backends }) => new Set(backends.map(({ service }) => service)).size < backends.length,
  },
];

function percentSum({ backends }: CanarySpec): number {
  return backends.reduce((sum, { percent }) => sum + percent, 0);
}
