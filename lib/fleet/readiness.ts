// Whether what has been applied is at work, by its own status; in the way of `kubectl wait` and `kubectl rollout status`.
import type { Condition, KubeObject } from "../plan/objects.ts";

/** What is missing, to follow the object's name; undefined: nothing is. */
export function unreadiness(object: KubeObject): string | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return "is being deleted";
  switch (object.kind) {
    case "CustomResourceDefinition":
      return unestablished(object);
    case "Deployment":
      return unavailable(object);
    default:
      return undefined;
  }
}

function unestablished(definition: KubeObject): string | undefined {
  const names = condition(definition, "NamesAccepted");
  if (names?.status === "False") return `has names that are taken: ${names.message}`;
  const established = condition(definition, "Established");
  return established?.status === "True" ? undefined : "is not served yet";
}

interface Deployment extends KubeObject {
  spec: { replicas?: number };
  status?: { observedGeneration?: number; replicas?: number; updatedReplicas?: number; availableReplicas?: number };
}

function unavailable(object: KubeObject): string | undefined {
  const { metadata, spec, status = {} } = object as Deployment;
  const wanted = spec.replicas ?? 1;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  if (observedGeneration < (metadata.generation ?? 0)) return "is not looked after yet";
  if (updatedReplicas < wanted) return `has ${updatedReplicas} of ${wanted} replicas`;
  if (replicas > updatedReplicas) return `has ${replicas - updatedReplicas} former replicas`;
  return availableReplicas < wanted ? `has ${availableReplicas} of ${wanted} replicas available` : undefined;
}

/** A kind that has just been made has null for conditions. */
export function conditionsOf(object: KubeObject): readonly Condition[] {
  return (object as { status?: { conditions?: Condition[] | null } }).status?.conditions ?? [];
}

export function condition(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((one) => one.type === type);
}
