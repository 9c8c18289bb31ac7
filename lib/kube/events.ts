// Kubernetes Events: what has been done, said where `kubectl describe` shows it
// (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
import { plainText } from "../loadtest/plain-text.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import type { KubeClient } from "./client.ts";
import { namespacedResource } from "./resource.ts";

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

interface CoreEvent extends KubeObject {
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
}

const events = namespacedResource<Event>("events.k8s.io", "Event");
/** The same objects under their former API, the only one that selects them by what they are about. */
const coreEvents = namespacedResource<CoreEvent>("", "Event");
const mostNoteBytes = 1024;

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
    note: plainText(note, mostNoteBytes),
    regarding,
    reportingController: "beta.kuar.com/loadtest",
    reportingInstance: instance,
  });
}

/** The newest warning about an object; undefined when there is none. */
export async function newestWarning(
  client: KubeClient,
  { metadata: { namespace = "", uid } }: Observed<KubeObject>,
): Promise<{ reason: string; message: string } | undefined> {
  const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
  const { items } = await client.list(coreEvents, { namespace, fieldSelector });
  const instant = ({ lastTimestamp, metadata }: (typeof items)[number]) => lastTimestamp ?? metadata.creationTimestamp;
  const newest = items.toSorted((a, b) => instant(a).localeCompare(instant(b))).at(-1);
  return newest === undefined ? undefined : { reason: newest.reason ?? "", message: newest.message ?? "" };
}
