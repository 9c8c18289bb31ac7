// Namespaces: whether they have room for workers, and would take them. A worker Pod keeps Pod Security's standard
// `restricted`, so every level takes it; what else may refuse it, quotas and policies, a dry run of such a Pod tells.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { ApiError } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import { pods } from "../../kube/resource.ts";
import { effectiveSpec } from "../../loadtest/defaults.ts";
import type { LoadTest } from "../../loadtest/load-test.ts";
import { extensionNamespace } from "../../manifest/names.ts";
import type { KubeObject } from "../../plan/objects.ts";
import { isComplete } from "../../plan/run.ts";
import { podLikeWorkers } from "../../plan/trial-pod.ts";
import { namespaces } from "../resources.ts";
import { scarceIn } from "./quota.ts";
import { type ResourceQuota, resourceQuotas } from "./resources.ts";
import { count, several } from "./words.ts";

const enforceLabel = "pod-security.kubernetes.io/enforce";

/** The extension's own namespace holds what can read its keys. */
export async function examineOwnNamespace(client: KubeClient): Promise<Finding[]> {
  return [judgeOwnNamespace(await find(client, namespaces, { name: extensionNamespace }))];
}

export function judgeOwnNamespace(namespace: KubeObject | undefined): Finding {
  const subject = `Pod Security of ${extensionNamespace}`;
  const remedy = `kubectl label namespace ${extensionNamespace} --overwrite ${enforceLabel}=restricted`;
  if (namespace === undefined) return failure(subject, "there is no such namespace", "loadtest install");
  const level = namespace.metadata.labels?.[enforceLabel];
  if (level === "restricted") return ok(subject, "restricted is enforced");
  const message = level === undefined ? "no level is enforced" : `${level} is enforced, must be restricted`;
  return warning(subject, `${message}: Pods with more power than the controller's may run here`, remedy);
}

/** @param image Of workers. */
export async function examineTargets(
  client: KubeClient,
  loadTests: readonly LoadTest[],
  image: string,
): Promise<Finding[]> {
  const inNamespace = Map.groupBy(loadTests, ({ metadata }) => metadata.namespace);
  const found = await Promise.all(
    [...inNamespace].map(async ([namespace, [first]]) => {
      const example = inNamespace.get(namespace)?.find((each) => !isComplete(each)) ?? first;
      return example === undefined ? [] : [{ namespace, refusal: await refusalOf(client, example, image) }];
    }),
  );
  return [judgeTrials(found.flat())];
}

/** The API server's words when it would not have a worker of the LoadTest. Rejects when the caller may make no Pods. */
async function refusalOf(client: KubeClient, loadTest: LoadTest, image: string): Promise<string | undefined> {
  try {
    await client.create(pods, podLikeWorkers(loadTest, effectiveSpec(loadTest.spec), image), { dryRun: true });
    return undefined;
  } catch (error: unknown) {
    const isOfCaller = error instanceof ApiError && error.code === 403 && error.said.includes("cannot create resource");
    if (!(error instanceof ApiError) || isOfCaller) throw error;
    return error.said;
  }
}

export function judgeTrials(trials: readonly { namespace: string; refusal: string | undefined }[]): Finding {
  const subject = "dry run of worker Pods";
  const refused = trials.filter(({ refusal }) => refusal !== undefined);
  if (refused.length > 0) {
    const words = refused.map(({ namespace, refusal }) => `in ${namespace}: ${refusal}`);
    const remedy =
      "raise the quota or the limits, or change the policy or the LoadTest's podTemplate, as the words say";
    return failure(subject, words.join("; "), remedy);
  }
  return trials.length === 0
    ? ok(subject, "no namespace has LoadTests")
    : ok(subject, `taken in ${count(trials.length, "namespace")} with LoadTests, whatever Pod Security enforces there`);
}

export async function examineQuotas(client: KubeClient, loadTests: readonly LoadTest[], namespace?: string) {
  const { items } = await client.list(resourceQuotas, namespace === undefined ? {} : { namespace });
  const used = new Set(loadTests.map(({ metadata }) => metadata.namespace));
  return [judgeQuotas(items.filter(({ metadata }) => used.has(metadata.namespace ?? "")))];
}

export function judgeQuotas(quotas: readonly ResourceQuota[]): Finding {
  const subject = "quotas";
  const scarce = quotas.flatMap((quota) => {
    const names = scarceIn(quota);
    return names.length === 0 ? [] : [`${quota.metadata.namespace}/${quota.metadata.name}: ${names.join(", ")}`];
  });
  if (scarce.length > 0) {
    return warning(subject, `little or nothing left of ${several(scarce)}`, "raise it, or run fewer workers at a time");
  }
  const message = quotas.length === 0 ? "none where LoadTests are" : `${count(quotas.length, "quota")} with room`;
  return ok(subject, message);
}
