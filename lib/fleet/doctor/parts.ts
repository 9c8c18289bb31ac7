// Every object that the extension is made of, beyond those that have a check of their own: there or not.
import { type Finding, failure, ok } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { extensionSteps, type Placement, type StepName } from "../../manifest/extension.ts";
import type { KubeObject } from "../../plan/objects.ts";
import { formatObject, keyOf, resourceOf } from "../resources.ts";
import { find, homeOf } from "./installation.ts";
import { count, installAgain, several } from "./words.ts";

const steps: readonly StepName[] = ["namespace", "rights", "belongings"];

export async function examineParts(client: KubeClient, placement: Placement): Promise<Finding[]> {
  const all = extensionSteps({ image: "", replicas: 1, placement }).filter(({ name }) => steps.includes(name));
  const objects = all.flatMap((step) => step.objects);
  const found = await Promise.all(objects.map((object) => find(client, resourceOf(object), keyOf(object))));
  const missing = objects.filter((_, index) => found[index] === undefined);
  const leaving = found.filter((object) => object?.metadata.deletionTimestamp !== undefined);
  return [judgeParts(placement, objects, missing, leaving as KubeObject[])];
}

export function judgeParts(
  placement: Placement,
  objects: readonly KubeObject[],
  missing: readonly KubeObject[],
  leaving: readonly KubeObject[],
): Finding {
  const subject = `parts in ${homeOf(placement)}`;
  if (missing.length > 0) {
    return failure(subject, `missing: ${several(missing.map(formatObject), 20)}`, installAgain(placement));
  }
  if (leaving.length > 0) {
    return failure(
      subject,
      `being deleted: ${several(leaving.map(formatObject))}`,
      "wait until they are gone, then install",
    );
  }
  return ok(subject, `${count(objects.length, "object")} there`);
}
