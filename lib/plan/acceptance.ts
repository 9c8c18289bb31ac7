// Whether a LoadTest may run: well-formed, within the limits, and with a Service to aim at.
import { type EffectiveSpec, highestRate } from "../loadtest/defaults.ts";
import { formatFieldError } from "../loadtest/field-error.ts";
import { apiVersion, type LoadTest } from "../loadtest/load-test.ts";
import { validateLoadTest } from "../loadtest/validate.ts";
import type { Service } from "./objects.ts";

/** Why a LoadTest is not accepted: a reason for programs and a message for people. */
export interface Refusal {
  reason: "Invalid" | "RateAboveLimit" | "ServiceNotFound" | "TargetNotAllowed" | "PortNotFound";
  message: string;
}

/** What is wrong with the object itself; a stored one may be older than the rules, or have passed while they were off. */
export function refuseSpec(loadTest: LoadTest, maxRequestsPerSecond: number): Refusal | undefined {
  const { name, namespace } = loadTest.metadata;
  const errors = validateLoadTest({ apiVersion, kind: "LoadTest", metadata: { name, namespace }, spec: loadTest.spec });
  if (errors.length > 0) return { reason: "Invalid", message: errors.map(formatFieldError).join("; ") };
  const rate = highestRate(loadTest.spec);
  if (rate <= maxRequestsPerSecond) return undefined;
  const field = rate === loadTest.spec.requestsPerSecond ? "requestsPerSecond" : "stages";
  return {
    reason: "RateAboveLimit",
    message: `spec.${field}: ${rate} requests per second, must be at most ${maxRequestsPerSecond}, the controller's --max-rate`,
  };
}

/** What is wrong with the target; null: there is no such Service. */
export function refuseTarget(spec: EffectiveSpec, namespace: string, service: Service | null): Refusal | undefined {
  if (service === null) {
    const message = `spec.service: "${spec.service}", must be a Service in namespace "${namespace}"`;
    return { reason: "ServiceNotFound", message };
  }
  if (service.spec.type === "ExternalName") {
    const message = `spec.service: "${spec.service}" is an ExternalName Service, must be one with Pods of this cluster`;
    return { reason: "TargetNotAllowed", message };
  }
  const ports = (service.spec.ports ?? []).map(({ port }) => port);
  if (ports.includes(spec.port)) return undefined;
  const message = `spec.port: ${spec.port}, must be a port of Service "${spec.service}": ${ports.join(", ") || "it has none"}`;
  return { reason: "PortNotFound", message };
}
