// Every object that the extension is made of, beyond those that have a check of their own: there or not.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { isForbidden } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import { extensionSteps, type Placement, type StepName } from "../../manifest/extension.ts";
import type { KubeObject } from "../../plan/objects.ts";
import { homeOf } from "../installation.ts";
import { formatObject, keyOf, resourceOf } from "../resources.ts";
import { count, installAgain, several } from "./words.ts";

const steps: readonly StepName[] = ["namespace", "rights", "belongings"];

export async function examineParts(client: KubeClient, placement: Placement): Promise<Finding[]> {
  const all = extensionSteps({ image: "", replicas: 1, placement }).filter(({ name }) => steps.includes(name));
  const objects = all.flatMap((step) => step.objects);
  const looks = await Promise.all(
    objects.map(async (object): Promise<Part> => ({ object, state: await stateOf(client, object) })),
  );
  return [judgeParts(placement, looks)];
}

export interface Part {
  object: KubeObject;
  /** `hidden`: the caller may not see it. */
  state: "there" | "missing" | "leaving" | "hidden";
}

async function stateOf(client: KubeClient, object: KubeObject): Promise<Part["state"]> {
  try {
    const found = await find(client, resourceOf(object), keyOf(object));
    if (found === undefined) return "missing";
    return found.metadata.deletionTimestamp === undefined ? "there" : "leaving";
  } catch (error: unknown) {
    if (isForbidden(error)) return "hidden";
    throw error;
  }
}

export function judgeParts(placement: Placement, parts: readonly Part[]): Finding {
  const subject = `parts in ${homeOf(placement)}`;
  const those = (state: Part["state"]) =>
    parts.filter((part) => part.state === state).map(({ object }) => formatObject(object));
  const missing = those("missing");
  if (missing.length > 0) return failure(subject, `missing: ${several(missing, 20)}`, installAgain(placement));
  const leaving = those("leaving");
  if (leaving.length > 0) {
    return failure(subject, `being deleted: ${several(leaving)}`, "wait until they are gone, then install");
  }
  const hidden = those("hidden");
  if (hidden.length > 0) return warning(subject, `you may not see ${several(hidden, 20)}`, "ask somebody who may look");
  return ok(subject, `${count(parts.length, "object")} there`);
}
