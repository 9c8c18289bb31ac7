// What is on a cluster in the extension's name and is not of this version: what another placement or version left, and
// rights that somebody has given the controller beside its own. An object that only happens to be called `loadtest` in
// somebody's namespace is not ours.
import { mutatingConfigurations, validatingConfigurations, type WebhookConfiguration } from "../cert/resources.ts";
import type { KubeClient, ListOptions } from "../kube/client.ts";
import { customResourceDefinitions, type Resource, services } from "../kube/resource.ts";
import { apiGroup } from "../loadtest/api-group.ts";
import { type ExtensionOptions, extensionSteps, type Placement } from "../manifest/extension.ts";
import { extensionLabels, extensionName, extensionNamespace } from "../manifest/names.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import type { Doubts } from "./doubts.ts";
import { homeOf } from "./installation.ts";
import {
  admissionPolicies,
  admissionPolicyBindings,
  clusterRoleBindings,
  clusterRoles,
  controllerSelector,
  deployments,
  formatObject,
  type RoleBinding,
  roleBindings,
  roles,
  serviceAccounts,
} from "./resources.ts";

export interface Extra {
  object: Observed<KubeObject>;
  /** What it does there, as far as that can be said in a few words. */
  what: string;
}

interface Definition extends KubeObject {
  spec: { group: string };
}

const bindings = [clusterRoleBindings, roleBindings];
const registrations: readonly Resource[] = [validatingConfigurations, mutatingConfigurations];
const clusterKinds: readonly Resource[] = [
  ...[customResourceDefinitions, clusterRoles, ...registrations, admissionPolicies, admissionPolicyBindings],
];
const namespacedKinds: readonly Resource[] = [roles, serviceAccounts, services, deployments];
/** Beside one namespace there may be others with controllers of their own, or one for the whole cluster. */
const clusterKindsOfNamespace: readonly Resource[] = [customResourceDefinitions];

/** Rejects with ConnectionError. */
export async function findExtras(client: KubeClient, options: ExtensionOptions, doubts: Doubts): Promise<Extra[]> {
  const home = homeOf(options.placement);
  const lists = await Promise.all(
    searches(options.placement).map(([resource, scope]) =>
      doubts.unlessRefused(`each ${resource.kind}`, [], async () => (await client.list(resource, scope)).items),
    ),
  );
  const found = new Map(lists.flat().map((object) => [formatObject(object), object]));
  for (const wanted of objectsOf(options)) found.delete(formatObject(wanted));
  return [...found.values()].flatMap((object) => {
    const what = whatOf(object, home);
    return what === undefined ? [] : [{ object, what }];
  });
}

/** Where to look: of what may be anywhere, and there may be much of, only what bears our labels. */
function searches(placement: Placement): [Resource, ListOptions][] {
  const home = { namespace: homeOf(placement) };
  const isNamespaced = placement.kind === "namespaced";
  const labeled = { labelSelector: controllerSelector };
  return [
    ...(isNamespaced ? clusterKindsOfNamespace : clusterKinds).map((resource) => [resource, {}] as [Resource, object]),
    ...bindings.map((resource) => [resource, {}] as [Resource, object]),
    ...namespacedKinds.map((resource) => [resource, home] as [Resource, ListOptions]),
    ...(isNamespaced ? [] : namespacedKinds.map((resource) => [resource, labeled] as [Resource, object])),
  ];
}

/** All that is installed by these options, in order. */
export function objectsOf(options: ExtensionOptions): KubeObject[] {
  return extensionSteps(options).flatMap(({ objects }) => objects);
}

/** undefined: it is none of ours. */
function whatOf(object: KubeObject, home: string): string | undefined {
  const { kind } = object;
  if (kind === "CustomResourceDefinition") {
    return (object as Definition).spec.group === apiGroup ? `a kind of ${apiGroup}` : undefined;
  }
  if (kind.endsWith("RoleBinding")) {
    const { roleRef } = object as RoleBinding;
    if (isBoundTo(object as RoleBinding, home)) return `gives the controller ${roleRef.kind} ${roleRef.name}`;
  }
  if (registrations.some((resource) => resource.kind === kind) && callsUs(object)) return "calls the controller";
  return isInOurName(object, home) ? "is there" : undefined;
}

function isBoundTo({ metadata, subjects = [] }: RoleBinding, home: string): boolean {
  return subjects.some(
    ({ kind, name, namespace = metadata.namespace }) =>
      kind === "ServiceAccount" && name === extensionName && namespace === home,
  );
}

function callsUs({ webhooks = [] }: WebhookConfiguration): boolean {
  return webhooks.some(
    ({ clientConfig: { service } }) => service?.name === extensionName && service.namespace === extensionNamespace,
  );
}

function isInOurName(object: KubeObject, home: string): boolean {
  const { namespace, labels = {} } = object.metadata;
  const isLabeled = (names: object) => Object.entries(names).every(([key, value]) => labels[key] === value);
  if (isLabeled(extensionLabels)) return true;
  if (namespace !== undefined && namespace !== home) return false;
  const isWorker = labels["app.kubernetes.io/component"] === "worker";
  return (isLabeled({ "app.kubernetes.io/name": extensionName }) && !isWorker) || namesOfAll.has(formatObject(object));
}

/** What the installations of the other placements have. */
const namesOfAll = new Set(
  (
    [
      { kind: "cluster" },
      { kind: "outOfCluster", url: "https://127.0.0.1" },
      { kind: "namespaced", namespace: extensionNamespace },
    ] as const
  ).flatMap((placement) => objectsOf({ image: "", replicas: 1, placement }).map(formatObject)),
);
