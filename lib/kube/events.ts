// Kubernetes Events: what has been done, said where `kubectl describe` shows it
// (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
import type { KubeObject } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import type { KubeClient } from "./client.ts";
import type { Resource } from "./resource.ts";

interface Event extends KubeObject {
  eventTime: string;
  type: "Normal" | "Warning";
  reason: string;
  action: string;
  note: string;
  regarding: object;
  reportingController: string;
  reportingInstance: string;
}

const events: Resource<Event> = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};
const noteMaxLength = 1024;

export interface EventText {
  type: "Normal" | "Warning";
  /** Why, in one CamelCase word. */
  reason: string;
  /** What was done, in one CamelCase word. */
  action: string;
  note: string;
}

/** Records an Event about an object of a namespace. Rejects as every call does; who has done the work need not care. */
export async function recordEvent(
  client: KubeClient,
  regarding: { apiVersion: string; kind: string; namespace: string; name: string; uid?: string },
  instance: string,
  { note, ...text }: EventText,
): Promise<void> {
  const atMs = nowMs();
  await client.create(events, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${regarding.name}.${crypto.randomUUID().slice(0, 18)}`, namespace: regarding.namespace },
    eventTime: new Date(atMs).toISOString().replace("Z", "000Z"), // the API wants microseconds
    ...text,
    note: note.slice(0, noteMaxLength),
    regarding,
    reportingController: "beta.kuar.com/loadtest",
    reportingInstance: instance,
  });
}
