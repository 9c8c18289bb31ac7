// The admission policy that lets the controller make worker Pods and no others. It names the image, so that another one
// in the Deployment leaves a controller that cannot start anything.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName, extensionNamespace } from "../../manifest/names.ts";
import { podPolicy, podPolicyBinding } from "../../manifest/pod-policy.ts";
import type { KubeObject } from "../../plan/objects.ts";
import {
  type AdmissionPolicy,
  admissionPolicies,
  admissionPolicyBindings,
  type Deployment,
  deployments,
} from "../resources.ts";
import { installAgain } from "./words.ts";

const imageVariable = "LOADTEST_IMAGE";

/** The image of workers, as the controller's Deployment says it. */
export function workerImageOf(deployment: Deployment | undefined): string | undefined {
  const [container] = deployment?.spec.template.spec.containers ?? [];
  return container?.env?.find(({ name }) => name === imageVariable)?.value ?? container?.image;
}

export async function examinePodPolicy(client: KubeClient, placement: Placement): Promise<Finding[]> {
  const [policy, binding, deployment] = await Promise.all([
    find(client, admissionPolicies, { name: (podPolicy("") as KubeObject).metadata.name }),
    find(client, admissionPolicyBindings, { name: (podPolicyBinding() as KubeObject).metadata.name }),
    find(client, deployments, { namespace: extensionNamespace, name: extensionName }),
  ]);
  return [judgePodPolicy(placement, policy, binding !== undefined, workerImageOf(deployment))];
}

/** @param image What the controller starts; undefined where it is not known. */
export function judgePodPolicy(
  placement: Placement,
  policy: AdmissionPolicy | undefined,
  isBound: boolean,
  image: string | undefined,
): Finding {
  const subject = "policy on worker Pods";
  const remedy = installAgain(placement);
  if (policy === undefined || !isBound) {
    const message = `${policy === undefined ? "there is none" : "it is not bound"}: the controller's account may make any Pod`;
    return warning(subject, message, remedy);
  }
  const warnings = policy.status?.typeChecking?.expressionWarnings ?? [];
  if (warnings[0] !== undefined) {
    const { fieldRef, warning: words } = warnings[0];
    return warning(subject, `the API server does not understand ${fieldRef}: ${words}`, remedy);
  }
  const [, allowed] = /c\.image == '([^']*)'/.exec(JSON.stringify(policy.spec.validations ?? [])) ?? [];
  if (image !== undefined && allowed !== image) {
    const message = `it allows the image ${allowed ?? "of nobody"}, and the controller starts ${image}: no worker can be made`;
    return failure(subject, message, `${remedy} --image ${image}`);
  }
  return ok(subject, `worker Pods of ${allowed} and no others`);
}
