// Actions → API calls, one each. A failed one is reported and left to the next pass, which will see what is so.
import { isAlreadyExists, isConflict, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { loadtests, pods } from "../kube/resource.ts";
import { planAnnotation } from "../plan/names.ts";
import { type Action, objectName, ownerUid } from "../plan/world.ts";
import type { Log } from "../runtime/log.ts";

const callsAtOnce = 16;

/** Executes all actions, several at a time, what is said of it last; returns how many failed. */
export async function execute(actions: readonly Action[], client: KubeClient, log: Log): Promise<number> {
  const [words, deeds] = [actions.filter(isStatus), actions.filter((action) => !isStatus(action))];
  return (await executeAll(deeds, client, log)) + (await executeAll(words, client, log));
}

function isStatus({ kind }: Action): boolean {
  return kind === "patchStatus";
}

async function executeAll(actions: readonly Action[], client: KubeClient, log: Log): Promise<number> {
  const waiting = [...actions];
  let failures = 0;
  const work = async () => {
    for (let action = waiting.shift(); action !== undefined; action = waiting.shift()) {
      try {
        await executeOne(action, client, log);
      } catch (error: unknown) {
        failures++;
        log.warn({ action: action.kind, object: describe(action), error: (error as Error).message }, "action failed");
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(callsAtOnce, actions.length) }, work));
  return failures;
}

async function executeOne(action: Action, client: KubeClient, log: Log): Promise<void> {
  const object = describe(action);
  switch (action.kind) {
    case "createPod":
      try {
        await client.create(pods, action.pod);
        log.info({ object }, "Pod created");
      } catch (error: unknown) {
        if (!isAlreadyExists(error)) throw error;
        const { namespace = "", name } = action.pod.metadata;
        const existing = await client.get(pods, { namespace, name });
        if (ownerUid(existing) !== ownerUid(action.pod)) throw error; // somebody else's, or a former LoadTest's
      }
      return;
    case "deletePod":
      try {
        await client.delete(pods, action, { uid: action.uid });
        log.info({ object, reason: action.reason }, "Pod deleted");
      } catch (error: unknown) {
        if (!isNotFound(error) && !isConflict(error)) throw error; // gone already, or another one by now
      }
      return;
    case "setPlan": {
      const metadata = { uid: action.uid, annotations: { [planAnnotation]: action.plan } };
      await client.patch(pods, action, { type: "merge", body: { metadata } });
      log.info({ object }, "plan told to worker");
      return;
    }
    case "patchStatus": {
      const body = [
        { op: "test", path: "/metadata/uid", value: action.uid },
        { op: "add", path: "/status", value: action.status },
      ] as const;
      await client.patch(loadtests, action, { type: "json", body }, { subresource: "status" });
      log.info({ object, phase: action.status.phase }, "status written");
      return;
    }
    case "deleteLoadTest":
      try {
        await client.delete(loadtests, action, { uid: action.uid, propagationPolicy: "Background" });
        log.info({ object, reason: action.reason }, "LoadTest deleted");
      } catch (error: unknown) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
      return;
  }
}

function describe(action: Action): string {
  return action.kind === "createPod" ? objectName(action.pod) : `${action.namespace}/${action.name}`;
}
