// What a LoadTest asks of its worker Pods, as fields of a Pod; and whether a running Pod is what it asks for.
import { createHash } from "node:crypto";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { PodTemplate } from "../loadtest/pod-template.ts";
import { loadTestLabel, podAnnotation } from "./names.ts";
import type { Container, Pod, PodSpec } from "./objects.ts";

type Resources = NonNullable<Container["resources"]>;

const defaultResources = { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } };

/** Of the user's own annotations. */
export function annotationBytes({ annotations = {} }: EffectiveSpec["podTemplate"]): number {
  return Object.entries(annotations)
    .flat()
    .reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** The template without resources, which are the container's; spread constraints count the LoadTest's own workers. */
export function podSettings(
  { resources: _, ...template }: PodTemplate,
  loadTest: string,
): Pick<PodTemplate, "labels" | "annotations"> & Partial<PodSpec> {
  const { topologySpreadConstraints: constraints } = template;
  if (constraints === undefined) return template;
  const labelSelector = { matchLabels: { [loadTestLabel]: loadTest } };
  return {
    ...template,
    topologySpreadConstraints: constraints.map((constraint) => ({ labelSelector, ...constraint })),
  };
}

/** A default holds only for a resource that the template does not name: beside it, it might contradict. */
export function workerResources({ requests = {}, limits = {} }: NonNullable<PodTemplate["resources"]> = {}): Resources {
  const isUnnamed = ([name]: [string, string]) => !(name in requests) && !(name in limits);
  const unnamed = (amounts: Record<string, string>) => Object.fromEntries(Object.entries(amounts).filter(isUnnamed));
  return {
    requests: { ...unnamed(defaultResources.requests), ...requests },
    limits: { ...unnamed(defaultResources.limits), ...limits },
  };
}

/**
 * Eight hex digits of all that a spec says of its Pods and that cannot change in a running one: the template and what
 * is mounted. What this program adds by itself is not in it, so that a new version of it leaves running tests alone.
 */
export function podForm({ podTemplate, mountedKeys }: Pick<EffectiveSpec, "podTemplate" | "mountedKeys">): string {
  const keys = [...new Set(mountedKeys.map(({ kind, name, key }) => `${kind}/${name}/${key}`))].toSorted();
  return createHash("sha256")
    .update(JSON.stringify([podTemplate, keys], sortedFields))
    .digest("hex")
    .slice(0, 8);
}

/** Whether a Pod is as the spec wants its Pods to be, whatever its plan. Removed scheduling gates do not count. */
export function fitsPod({ metadata }: Pod, spec: Pick<EffectiveSpec, "podTemplate" | "mountedKeys">): boolean {
  return metadata.annotations?.[podAnnotation] === podForm(spec);
}

/** For JSON.stringify(): the order in which fields were written does not matter. */
function sortedFields(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
