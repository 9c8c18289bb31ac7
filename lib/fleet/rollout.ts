// Why a Deployment is not there yet, in the words of whoever knows: the API server that refuses its Pods, the scheduler,
// the kubelet, or the program itself.
import { isForbidden } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { newestWarning } from "../kube/events.ts";
import { pods } from "../kube/resource.ts";
import type { ContainerStatus, KubeObject, Observed, Pod } from "../plan/objects.ts";
import { condition } from "./readiness.ts";
import { replicaSets, selectorOf } from "./resources.ts";

const revision = "deployment.kubernetes.io/revision";
const wordsMaxLength = 500;

/** What stands in the way of its newest Pods; undefined: nothing that anybody says. */
export async function rolloutTrouble(
  client: KubeClient,
  deployment: Observed<KubeObject>,
): Promise<string | undefined> {
  try {
    const trouble = await findTrouble(client, deployment);
    return trouble === undefined ? undefined : excerpt(trouble);
  } catch (error: unknown) {
    if (isForbidden(error)) return `you may not see why: ${error.said}`;
    throw error;
  }
}

async function findTrouble(client: KubeClient, deployment: Observed<KubeObject>): Promise<string | undefined> {
  const { namespace = "", uid } = deployment.metadata;
  const { matchLabels = {} } = (deployment as Observed<KubeObject> & { spec: { selector: Selector } }).spec.selector;
  const scope = { namespace, labelSelector: selectorOf(matchLabels) };
  const sets = (await client.list(replicaSets, scope)).items.filter((set) => isOwnedBy(set, uid));
  const newest = sets.toSorted((a, b) => revisionOf(a) - revisionOf(b)).at(-1);
  if (newest === undefined) return condition(deployment, "ReplicaFailure")?.message;
  const refused = condition(newest, "ReplicaFailure");
  if (refused?.status === "True") return refused.message;
  const own = (await client.list(pods, scope)).items.filter((pod) => isOwnedBy(pod, newest.metadata.uid));
  for (const pod of own.filter((one) => condition(one, "Ready")?.status !== "True")) {
    const words = podTrouble(pod) ?? (await newestWarning(client, pod))?.message;
    if (words !== undefined) return `Pod "${pod.metadata.name}": ${words}`;
  }
  return undefined;
}

interface Selector {
  matchLabels?: Record<string, string>;
}

function isOwnedBy({ metadata }: KubeObject, uid: string): boolean {
  return (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[revision] ?? 0);
}

/** What its status says; what only Events tell is not here. */
function podTrouble(pod: Pod): string | undefined {
  const scheduled = condition(pod, "PodScheduled");
  if (scheduled?.status === "False") return `${scheduled.reason}: ${scheduled.message}`;
  const { phase, reason, message, containerStatuses = [] } = pod.status ?? {};
  if (phase === "Failed" && reason !== undefined) return `${reason}: ${message ?? "it has failed"}`;
  for (const status of containerStatuses) {
    const words = containerTrouble(status);
    if (words !== undefined) return words;
  }
  return undefined;
}

const startingReasons = ["ContainerCreating", "PodInitializing"];

function containerTrouble({ state = {}, lastState = {}, restartCount }: ContainerStatus): string | undefined {
  const terminated = state.terminated ?? lastState.terminated;
  if (terminated !== undefined) {
    const { exitCode, reason = "Error", message = "" } = terminated;
    const words = message === "" ? "" : `: ${message}`;
    return `it ended with exit code ${exitCode} (${reason}, ${restartCount} restarts)${words}`;
  }
  const { reason, message } = state.waiting ?? {};
  if (reason === undefined || startingReasons.includes(reason)) return undefined;
  return message === undefined ? reason : `${reason}: ${message}`;
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > wordsMaxLength ? `${line.slice(0, wordsMaxLength - 1)}…` : line;
}
