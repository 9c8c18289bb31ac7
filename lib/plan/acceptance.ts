// Whether a LoadTest may run: well-formed, within the limits, and with a Service to aim at.

import { apiVersion } from "../loadtest/api-group.ts";
import type { Canary, CanarySpec } from "../loadtest/canary.ts";
import { type EffectiveSpec, highestRate } from "../loadtest/defaults.ts";
import { type FieldError, formatFieldError } from "../loadtest/field-error.ts";
import { canaryKind, loadTestKind } from "../loadtest/kind.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { serviceShares } from "./compile.ts";
import type { Service } from "./objects.ts";
import { annotationBytes } from "./pod-settings.ts";
import { type Script, scriptBytes } from "./script.ts";
import type { World } from "./world.ts";

/** Why a LoadTest is not accepted: a reason for programs and a message for people. */
export interface Refusal {
  reason:
    | "Invalid"
    | "RateAboveLimit"
    | "CanaryNotFound"
    | "CanaryInvalid"
    | "ServiceNotFound"
    | "TargetNotAllowed"
    | "PortNotFound"
    | "PodTemplateInvalid"
    | "PlanTooLarge";
  message: string;
}

/** By spec as it was read: one is asked about several times in a pass. */
const judged = new WeakMap<LoadTest["spec"], readonly FieldError[]>();

function errorsIn(loadTest: LoadTest): readonly FieldError[] {
  const { metadata, spec } = loadTest;
  const known = judged.get(spec);
  if (known !== undefined) return known;
  const { name, namespace } = metadata;
  const { errors } = loadTestKind.judge({ apiVersion, kind: "LoadTest", metadata: { name, namespace }, spec });
  judged.set(spec, errors);
  return errors;
}

/** What is wrong with the object itself; a stored one may be older than the rules, or have passed while they were off. */
export function refuseSpec(loadTest: LoadTest, maxRequestsPerSecond: number): Refusal | undefined {
  const errors = errorsIn(loadTest);
  if (errors.length > 0) return { reason: "Invalid", message: errors.map(formatFieldError).join("; ") };
  const rate = highestRate(loadTest.spec);
  if (rate <= maxRequestsPerSecond) return undefined;
  const field = rate === loadTest.spec.requestsPerSecond ? "requestsPerSecond" : "stages";
  return {
    reason: "RateAboveLimit",
    message: `spec.${field}: ${rate} requests per second, must be at most ${maxRequestsPerSecond}, the controller's --max-rate`,
  };
}

/** What is wrong with the Canary that a LoadTest names, if it names one; null: there is no such Canary. */
export function refuseCanary(loadTest: LoadTest, canary: Canary | null | undefined): Refusal | undefined {
  const name = loadTest.spec.canary;
  if (name === undefined) return undefined;
  if (!canary) {
    const message = `spec.canary: "${name}", must be a Canary in namespace "${loadTest.metadata.namespace}"`;
    return { reason: "CanaryNotFound", message };
  }
  const { errors } = canaryKind.judge({ apiVersion, kind: "Canary", metadata: { name }, spec: canary.spec });
  if (errors.length === 0) return undefined;
  return { reason: "CanaryInvalid", message: `Canary "${name}": ${errors.map(formatFieldError).join("; ")}` };
}

/** Of a plan and a Pod's other annotations, which have 256 KiB together: what happens to a run is noted there too. */
const mostPlanBytes = 240 * 1024;

/** Whether what workers are to be told is too much for their Pods. */
export function refuseSize(wanted: Script, { podTemplate }: EffectiveSpec): Refusal | undefined {
  const bytes = annotationBytes(podTemplate) + scriptBytes(wanted);
  if (bytes <= mostPlanBytes) return undefined;
  const message = `spec.requests: with stages and podTemplate.annotations ${bytes} bytes in a Pod's annotations, must be at most ${mostPlanBytes}`;
  return { reason: "PlanTooLarge", message };
}

/** What is wrong with the Services to aim at, and whether all were looked for. */
export function judgeTarget(
  spec: EffectiveSpec,
  canary: CanarySpec | undefined,
  namespace: string,
  services: World["services"],
): { isKnown: boolean; refusal: Refusal | undefined } {
  const names = serviceShares(spec, canary).map(({ service }) => service);
  const found = names.map((name) => [name, services.get(`${namespace}/${name}`)] as const);
  const refusals = found.map(([name, service]) =>
    service === undefined ? undefined : refuseTarget(spec, namespace, name, service),
  );
  const isKnown = found.every(([, service]) => service !== undefined);
  return { isKnown, refusal: refusals.find((one) => one !== undefined) };
}

/** null: there is no such Service. */
function refuseTarget(
  spec: EffectiveSpec,
  namespace: string,
  name: string,
  service: Service | null,
): Refusal | undefined {
  const field = spec.canary === undefined ? "spec.service" : `spec.canary: a backend of "${spec.canary}"`;
  if (service === null) {
    return { reason: "ServiceNotFound", message: `${field}: "${name}", must be a Service in namespace "${namespace}"` };
  }
  if (service.spec.type === "ExternalName") {
    const message = `${field}: "${name}" is an ExternalName Service, must be one with Pods of this cluster`;
    return { reason: "TargetNotAllowed", message };
  }
  const ports = (service.spec.ports ?? []).map(({ port }) => port);
  if (ports.includes(spec.port)) return undefined;
  const message = `spec.port: ${spec.port}, must be a port of Service "${name}": ${ports.join(", ") || "it has none"}`;
  return { reason: "PortNotFound", message };
}
