// The rights of whoever looks, and of the controller's account: each one of `lib/manifest/rights.ts`, asked of the API
// server's authorizers, so that it counts whichever role grants it.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { type Access, callerMay, userMay, userMayHere } from "../../kube/access-review.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { UserInfo } from "../../loadtest/admission-review.ts";
import { apiGroup } from "../../loadtest/api-group.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName } from "../../manifest/names.ts";
import { admissionRules, certificateRules, leaderRules, registrationRules, workRules } from "../../manifest/rights.ts";
import { homeOf } from "../installation.ts";
import { accessesOf } from "../rights.ts";
import { count, installAgain, several } from "./words.ts";

/** All that the controller of this placement needs. */
export function neededAccesses(placement: Placement): Access[] {
  const home = homeOf(placement);
  if (placement.kind === "namespaced") return accessesOf([...workRules, ...leaderRules], home);
  return [
    ...accessesOf([...workRules, ...admissionRules, ...registrationRules]),
    ...accessesOf([...certificateRules, ...leaderRules], home),
  ];
}

/** As the API server knows the account. */
export function accountOf(namespace: string): UserInfo {
  return {
    username: `system:serviceaccount:${namespace}:${extensionName}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}

/** `patch loadtests.beta.kuar.com/status`, `get secrets "one"`. */
export function formatAccess({ verb, group, resource, subresource, name }: Access): string {
  const part = subresource === undefined ? "" : `/${subresource}`;
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${part}${name === undefined ? "" : ` "${name}"`}`;
}

export async function examineController(client: KubeClient, placement: Placement): Promise<Finding[]> {
  const user = accountOf(homeOf(placement));
  const needed = neededAccesses(placement);
  const allowed = await Promise.all(
    needed.map((access) =>
      placement.kind === "namespaced"
        ? userMayHere(client, user, { ...access, namespace: placement.namespace })
        : userMay(client, user, access),
    ),
  );
  return [judgeRights(placement, needed, allowed)];
}

export function judgeRights(placement: Placement, needed: readonly Access[], allowed: readonly boolean[]): Finding {
  const subject = `rights of ${homeOf(placement)}/${extensionName}`;
  const missing = needed.filter((_, index) => allowed[index] !== true);
  const remedy = installAgain(placement);
  if (missing.length === 0) return ok(subject, `all ${needed.length} that the controller needs`);
  if (missing.length === needed.length) return failure(subject, `none of the ${needed.length} that it needs`, remedy);
  const many = missing.length > 20 ? several(missing.map(formatAccess), 20) : missing.map(formatAccess).join(", ");
  return failure(subject, `the controller may not ${many}`, remedy);
}

/** What the doctor does, so that it can say beforehand what it will not see. */
export async function examineCaller(client: KubeClient, placements: readonly Placement[]): Promise<Finding[]> {
  const wanted = [...new Map(ownAccesses(placements).map((access) => [JSON.stringify(access), access])).values()];
  const allowed = await Promise.all(wanted.map((access) => callerMay(client, access)));
  return [judgeCaller(wanted, allowed)];
}

export function judgeCaller(wanted: readonly Access[], allowed: readonly boolean[]): Finding {
  const subject = "your rights";
  const missing = wanted.filter((_, index) => allowed[index] !== true);
  if (missing.length === 0) return ok(subject, `all ${wanted.length} that a whole look takes`);
  const message = `you may not ${missing.map(formatAccess).join(", ")}: ${count(missing.length, "look")} will be missing`;
  return warning(subject, message, "ask an administrator for these rights, or to look in your place");
}

function ownAccesses(placements: readonly Placement[]): Access[] {
  const list = (group: string, ...resources: string[]) =>
    resources.map((resource) => ({ verb: "list", group, resource }));
  const cluster: Access[] = [
    ...list("", "nodes", "namespaces", "pods", "resourcequotas"),
    ...list("apps", "deployments"),
    ...list(apiGroup, "loadtests", "canaries", "loadtestresults"),
    ...list("rbac.authorization.k8s.io", "clusterrolebindings"),
    { verb: "list", group: "coordination.k8s.io", resource: "leases", namespace: "kube-node-lease" },
    { verb: "get", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
    { verb: "get", group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
    { verb: "create", group: "authorization.k8s.io", resource: "subjectaccessreviews" },
    { verb: "create", group: apiGroup, resource: "loadtests" },
    { verb: "create", group: "", resource: "pods" },
  ];
  const policies = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations", "validatingadmissionpolicies"];
  return [
    ...cluster,
    ...placements.flatMap((placement): Access[] => {
      const namespace = homeOf(placement);
      const home: Access[] = [
        { verb: "get", group: "coordination.k8s.io", resource: "leases", namespace },
        { verb: "list", group: "discovery.k8s.io", resource: "endpointslices", namespace },
        { verb: "list", group: "rbac.authorization.k8s.io", resource: "rolebindings", namespace },
        { verb: "get", group: "rbac.authorization.k8s.io", resource: "roles", namespace },
      ];
      if (placement.kind === "namespaced") return home;
      return [
        ...home,
        { verb: "get", group: "", resource: "secrets", namespace },
        ...policies.map((resource) => ({ verb: "get", group: "admissionregistration.k8s.io", resource })),
      ];
    }),
  ];
}
