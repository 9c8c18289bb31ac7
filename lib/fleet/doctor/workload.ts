// What runs the controller: its Deployment, Pods and Service.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import { pods, type Resource } from "../../kube/resource.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName } from "../../manifest/names.ts";
import type { ContainerStatus, Pod, PodStatus } from "../../plan/objects.ts";
import { hasWebhooks, homeOf } from "../installation.ts";
import { controllerSelector, type Deployment, deployments } from "../resources.ts";
import { type EndpointSlice, endpointSlices } from "./resources.ts";
import { installAgain, several, span } from "./words.ts";

/** A Pod that has been started again within this time is about to be so again, for all that is known. */
const recentMs = 3600e3;

export async function examineWorkload(client: KubeClient, placement: Placement, nowMs: () => number) {
  const namespace = homeOf(placement);
  const [deployment, { items }, slices] = await Promise.all([
    find(client, deployments, { namespace, name: extensionName }),
    client.list(pods as Resource<ControllerPod>, { namespace, labelSelector: controllerSelector }),
    hasWebhooks(placement)
      ? client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${extensionName}` })
      : undefined,
  ]);
  return [
    judgeDeployment(placement, deployment),
    judgePods(namespace, items, nowMs()),
    judgeImages(namespace, items),
    ...(slices === undefined ? [] : [judgeEndpoints(namespace, slices.items)]),
  ];
}

export interface ControllerPod extends Pod {
  status?: Omit<PodStatus, "containerStatuses"> & { containerStatuses?: (ContainerStatus & { imageID?: string })[] };
}

export function judgeDeployment(placement: Placement, deployment: Deployment | undefined): Finding {
  const namespace = homeOf(placement);
  const subject = `Deployment ${namespace}/${extensionName}`;
  if (deployment === undefined) {
    return failure(subject, "there is none, so that no controller runs", installAgain(placement));
  }
  const wanted = deployment.spec.replicas ?? 1;
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0, conditions = [] } = deployment.status ?? {};
  if (wanted === 0) {
    const remedy = `kubectl -n ${namespace} scale deployment/${extensionName} --replicas=2`;
    return failure(subject, "0 replicas are wanted, so that no controller runs", remedy);
  }
  const refused = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  if (refused !== undefined) {
    return failure(subject, `its Pods are refused: ${refused.message}`, "see what the message names");
  }
  const message = `${ready} of ${wanted} ${wanted === 1 ? "replica" : "replicas"} ready`;
  const remedy = `kubectl -n ${namespace} describe pods -l ${controllerSelector}`;
  if (ready === 0) return failure(subject, message, remedy);
  if (ready < wanted) return warning(subject, message, remedy);
  if (updated < wanted) return warning(subject, `${updated} of ${wanted} updated`, "wait, or see what holds it up");
  if (wanted === 1) {
    return warning(subject, `${message}: nobody stands in for it`, "have two, so that one may go at any time");
  }
  return ok(subject, message);
}

export function judgePods(namespace: string, all: readonly ControllerPod[], nowMs: number): Finding {
  const subject = `Pods of the controller in ${namespace}`;
  const remedy = `kubectl -n ${namespace} logs -l ${controllerSelector} --all-containers --prefix`;
  const present = all.filter(isPresent);
  const troubles = present.flatMap((pod) => {
    const trouble = troubleOf(pod);
    return trouble === undefined ? [] : [`${pod.metadata.name}: ${trouble}`];
  });
  if (troubles.length > 0) return failure(subject, troubles.join("; "), remedy);
  const restarted = present.flatMap((pod) => {
    const status = pod.status?.containerStatuses?.find(({ restartCount }) => restartCount > 0);
    const end = status?.lastState?.terminated;
    const agoMs = nowMs - Date.parse(end?.finishedAt ?? "");
    if (status === undefined || end === undefined || !(agoMs < recentMs)) return [];
    const why = `${end.reason ?? "ended"}, exit code ${end.exitCode}`;
    return [`${pod.metadata.name} ${span(agoMs)} ago, ${why}, ${status.restartCount} in all`];
  });
  if (restarted.length > 0) return warning(subject, `started again: ${restarted.join("; ")}`, `${remedy} --previous`);
  const names = present.map(({ metadata }) => metadata.name);
  return names.length === 0
    ? failure(subject, "there are none", `kubectl -n ${namespace} describe deployment ${extensionName}`)
    : ok(subject, `in order: ${several(names)}`);
}

/** Those on their way out, and those that were evicted, are no more to be looked at. */
function isPresent({ metadata, status }: ControllerPod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

/** Why a Pod is not ready, in the words of whoever knows. */
function troubleOf({ status = {} }: ControllerPod): string | undefined {
  const conditionOf = (type: string) => status.conditions?.find((each) => each.type === type);
  if (conditionOf("Ready")?.status === "True") return undefined;
  const scheduled = conditionOf("PodScheduled");
  if (scheduled?.status === "False") return `${scheduled.reason}: ${scheduled.message}`;
  for (const { state, lastState } of status.containerStatuses ?? []) {
    const { waiting } = state ?? {};
    const terminated = state?.terminated ?? lastState?.terminated;
    const end = terminated && `${terminated.reason ?? "ended"}, exit code ${terminated.exitCode}`;
    if (waiting?.reason) return [waiting.reason, waiting.message, end].filter(Boolean).join(": ");
    if (end) return end;
  }
  return conditionOf("Ready")?.message || status.message || `it is ${status.phase ?? "new"}`;
}

/** By the digest of what runs, not by the name that it was asked for by. */
export function judgeImages(namespace: string, all: readonly ControllerPod[]): Finding {
  const subject = `image of the controller in ${namespace}`;
  const byImage = Map.groupBy(
    all
      .filter(isPresent)
      .flatMap(({ metadata, spec, status }) =>
        (status?.containerStatuses ?? []).flatMap(({ imageID }) =>
          imageID ? [{ imageID, pod: metadata.name, image: spec.containers[0]?.image ?? "" }] : [],
        ),
      ),
    ({ imageID }) => imageID,
  );
  const [first] = byImage.values();
  if (first === undefined) return warning(subject, "no Pod says what it runs", "see why none runs");
  if (byImage.size === 1) return ok(subject, `${first[0]?.image}, ${digestOf(first[0]?.imageID ?? "")}`);
  const each = [...byImage].map(([id, users]) => `${digestOf(id)} in ${several(users.map(({ pod }) => pod))}`);
  const remedy = "name images by their digest, or by tags that are never used again";
  return warning(subject, `Pods run different ones: ${each.join("; ")}`, remedy);
}

function digestOf(imageID: string): string {
  return imageID.replace(/^.*@/, "").replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}

export function judgeEndpoints(namespace: string, slices: readonly EndpointSlice[]): Finding {
  const subject = `Service ${namespace}/${extensionName}`;
  const all = slices.flatMap(({ endpoints }) => endpoints ?? []);
  const ready = all.filter(({ conditions }) => conditions?.ready !== false);
  if (ready.length > 0) return ok(subject, `${ready.length} of ${all.length} endpoints ready`);
  const message = all.length === 0 ? "it has no endpoints" : `none of ${all.length} endpoints is ready`;
  return failure(subject, `${message}: the API server reaches nobody`, "see that the controller's Pods are ready");
}
