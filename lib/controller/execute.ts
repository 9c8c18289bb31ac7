// Actions → API calls, one each. A failed one is reported and left to the next pass, which will see what is so.
import { ApiError, isAlreadyExists, isConflict, isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { loadtestresults, loadtests, pods, services } from "../kube/resource.ts";
import { planAnnotation, toldAnnotation } from "../plan/names.ts";
import type { Observed, Pod } from "../plan/objects.ts";
import { isCompleted } from "../plan/run.ts";
import type { RefusedCreation } from "../plan/trouble.ts";
import { type Action, isWorkerPod, objectName, ownerUid } from "../plan/world.ts";
import type { Log } from "../runtime/log.ts";

const callsAtOnce = 16;

export interface Outcome {
  /** Actions that have changed something. */
  done: Action[];
  /** Pods that the API server will not have; the status says so. */
  refused: RefusedCreation[];
  /** Actions that failed otherwise. */
  failures: number;
}

/**
 * Executes all actions, several at a time; what is said of it last, in the words that `hindsight` finds where Pods were
 * refused. A verdict is said once its result is stored, and nothing is stored of a run before it is said when that began: what
 * workers did would count in another course of it, should both they and the word of it be lost.
 */
export async function execute(
  actions: readonly Action[],
  client: KubeClient,
  log: Log,
  hindsight: (refused: readonly RefusedCreation[]) => readonly Action[],
): Promise<Outcome> {
  const outcome: Outcome = { done: [], refused: [], failures: 0 };
  const all = async (ones: readonly Action[]) => {
    const { failures } = outcome;
    await executeAll(ones, client, log, outcome);
    return outcome.failures === failures;
  };
  await all(actions.filter(({ kind }) => kind !== "patchStatus" && kind !== "writeResult"));
  const isStored = await all(actions.filter((action) => action.kind === "writeResult" && !action.isEarly));
  const last = outcome.refused.length === 0 ? actions : hindsight(outcome.refused);
  const isSaid = await all(
    last.filter((action) => action.kind === "patchStatus" && (isStored || !isCompleted(action.status))),
  );
  if (isSaid) await all(actions.filter((action) => action.kind === "writeResult" && action.isEarly));
  return outcome;
}

async function executeAll(actions: readonly Action[], client: KubeClient, log: Log, outcome: Outcome): Promise<void> {
  const waiting = [...actions];
  const work = async () => {
    for (let action = waiting.shift(); action !== undefined; action = waiting.shift()) {
      const refusal = outcome.refused[0];
      if (action.kind === "createPod" && refusal !== undefined) {
        outcome.refused.push({ ...refusal, pod: action.pod.metadata.name }); // as alike as Pods of a LoadTest are
        continue;
      }
      try {
        if (await executeOne(action, client, log)) outcome.done.push(action);
      } catch (error: unknown) {
        if (action.kind === "createPod" && isRefusal(error)) {
          outcome.refused.push({ pod: action.pod.metadata.name, code: error.code, message: error.said });
        } else {
          outcome.failures++;
        }
        log.warn({ action: action.kind, object: describe(action), error: (error as Error).message }, "action failed");
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(callsAtOnce, actions.length) }, work));
}

/**
 * Whether the API server will not do it; what it cannot do now, such as to count in a quota that others change, is another
 * matter.
 */
function isRefusal(error: unknown): error is ApiError {
  return isAlreadyExists(error) || (error instanceof ApiError && [400, 403, 404, 422].includes(error.code));
}

/** Whether it has changed anything. */
async function executeOne(action: Action, client: KubeClient, log: Log): Promise<boolean> {
  const object = describe(action);
  switch (action.kind) {
    case "createPod":
      try {
        await client.create(pods, action.pod);
        log.info({ object }, "Pod created");
        return true;
      } catch (error: unknown) {
        if (!isAlreadyExists(error)) throw error;
        const { namespace = "", name } = action.pod.metadata;
        const existing = await client.get(pods, { namespace, name });
        if (ownerUid(existing) !== ownerUid(action.pod)) throw error; // somebody else's, or a former LoadTest's
        if (!isWorkerPod(existing)) await deleteSpoiled(existing, client, log);
        return false;
      }
    case "deletePod":
      try {
        await client.delete(pods, action, { uid: action.uid });
        log.info({ object, reason: action.reason }, "Pod deleted");
        return true;
      } catch (error: unknown) {
        if (!isNotFound(error) && !isConflict(error)) throw error; // gone already, or another one by now
        return false;
      }
    case "createService":
    case "deleteService":
      try {
        await (action.kind === "createService"
          ? client.create(services, action.service)
          : deleteService(action, client));
        return true;
      } catch (error: unknown) {
        const isSoAlready = isAlreadyExists(error) || isNotFound(error) || isConflict(error);
        if (!isSoAlready) log.warn({ object, error: (error as Error).message }, "cannot tend the Service for metrics");
        return false;
      }
    case "setPlan": {
      const path = annotationPath(planAnnotation);
      const body = [
        { op: "test", path: "/metadata/uid", value: action.uid },
        { op: "test", path, value: action.former },
        { op: "replace", path, value: action.plan },
        { op: "add", path: annotationPath(toldAnnotation), value: action.told },
      ] as const;
      await client.patch(pods, action, { type: "json", body });
      log.info({ object }, "plan told to worker");
      return true;
    }
    case "writeResult":
      try {
        const isNew = action.result.metadata.resourceVersion === undefined;
        await (isNew ? client.create(loadtestresults, action.result) : client.replace(loadtestresults, action.result));
        log.info({ object, complete: action.result.complete }, "result written");
      } catch (error: unknown) {
        if (!isNotFound(error) && !isForbidden(error)) throw error;
        log.warn({ object, error: error.message }, "results cannot be kept: apply the manifests of this version");
        return false;
      }
      return true;
    case "patchStatus": {
      // Of another version it is a Conflict: a call that comes late must not take a verdict back.
      const body = [
        { op: "test", path: "/metadata/uid", value: action.uid },
        { op: "replace", path: "/metadata/resourceVersion", value: action.version },
        { op: "add", path: "/status", value: action.status },
      ] as const;
      await client.patch(loadtests, action, { type: "json", body }, { subresource: "status" });
      log.info({ object, phase: action.status.phase }, "status written");
      return true;
    }
    case "deleteLoadTest":
      try {
        const { uid, version: resourceVersion } = action;
        await client.delete(loadtests, action, { uid, resourceVersion, propagationPolicy: "Background" });
        log.info({ object, reason: action.reason }, "LoadTest deleted");
        return true;
      } catch (error: unknown) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
        return false;
      }
  }
}

/** A worker Pod that has lost labels or its plan is made anew. */
async function deleteSpoiled({ metadata }: Observed<Pod>, client: KubeClient, log: Log): Promise<void> {
  const { namespace = "", name, uid } = metadata;
  try {
    await client.delete(pods, { namespace, name }, { uid });
  } catch (cause: unknown) {
    const what = `Cannot delete the Pod "${name}", which has lost labels or its plan`;
    throw new Error(`${what}: ${(cause as Error).message}`, { cause }); // it says nothing of the Pod that is to follow
  }
  log.warn({ object: `${namespace}/${name}` }, "a worker Pod that had lost labels or its plan was deleted");
}

/** As a JSON pointer (RFC 6901 §3). */
function annotationPath(name: string): string {
  return `/metadata/annotations/${name.replace("/", "~1")}`;
}

/** Deletes just the one that belongs to the LoadTest. */
async function deleteService(action: Extract<Action, { kind: "deleteService" }>, client: KubeClient): Promise<void> {
  const service = await client.get(services, action);
  if (ownerUid(service) === action.ownerUid) await client.delete(services, action, { uid: service.metadata.uid });
}

function describe(action: Action): string {
  switch (action.kind) {
    case "createPod":
      return objectName(action.pod);
    case "createService":
      return objectName(action.service);
    default:
      return `${action.namespace}/${action.name}`;
  }
}
