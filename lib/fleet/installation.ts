// How an installation differs from others of the same version by right: its image, its replicas, and where its controller
// is. Whoever says nothing of them has them taken as they are found, and compared from cluster to cluster.
import type { WebhookConfiguration } from "../cert/resources.ts";
import { defaultReplicas } from "../manifest/controller.ts";
import type { ExtensionOptions, Placement } from "../manifest/extension.ts";
import { controllerContainer, extensionNamespace, validator } from "../manifest/names.ts";
import type { KubeObject } from "../plan/objects.ts";
import type { AdmissionPolicy, Deployment } from "./resources.ts";

/** What is told; what is not, is taken as it is found. */
export type WantedInstallation = Partial<ExtensionOptions>;

/** What tells how the extension was installed. */
export interface Traces {
  /** Of controllers, in any namespace. */
  deployments: readonly Deployment[];
  webhooks: readonly WebhookConfiguration[];
  namespace: KubeObject | undefined;
  policy: AdmissionPolicy | undefined;
}

export type FoundInstallation = Partial<ExtensionOptions>;

/** Throws when there are several controllers, and it is not told which one is meant. */
export function foundInstallation(traces: Traces, wanted: WantedInstallation): FoundInstallation {
  const placement = foundPlacement(traces, wanted.placement);
  const home = placement?.kind === "namespaced" ? placement.namespace : extensionNamespace;
  const controller = traces.deployments.find(({ metadata }) => metadata.namespace === home);
  const image = controllerImage(controller) ?? policyImage(traces.policy);
  const replicas = controller?.spec.replicas;
  return {
    ...(placement === undefined ? {} : { placement }),
    ...(image === undefined ? {} : { image }),
    ...(replicas === undefined ? {} : { replicas }),
  };
}

/** What is to be there: as it is told, else as it is found, else as `install` would have it by default. */
export function expectedInstallation(wanted: WantedInstallation, found: FoundInstallation): ExtensionOptions {
  return { image: "", replicas: defaultReplicas, placement: { kind: "cluster" }, ...found, ...wanted };
}

/** The namespace of a controller's Deployment, account and Lease. */
export function homeOf(placement: Placement): string {
  return placement.kind === "namespaced" ? placement.namespace : extensionNamespace;
}

/** Whether the API server is to ask the controller at admission. */
export function hasWebhooks(placement: Placement): boolean {
  return placement.kind !== "namespaced";
}

/** In words: `in namespace team-a`. */
export function formatPlacement(placement: Placement): string {
  switch (placement.kind) {
    case "cluster":
      return "in the cluster";
    case "namespaced":
      return `in namespace ${placement.namespace}`;
    case "outOfCluster":
      return `out of the cluster, at ${placement.url}`;
  }
}

function foundPlacement(traces: Traces, wanted: Placement | undefined): Placement | undefined {
  const { deployments, webhooks, namespace } = traces;
  const homes = deployments.map(({ metadata }) => metadata.namespace ?? "");
  if (wanted?.kind === "namespaced" && homes.includes(wanted.namespace)) return wanted;
  if (homes.includes(extensionNamespace)) return { kind: "cluster" };
  const url = foundUrl(webhooks);
  if (url !== undefined) return { kind: "outOfCluster", url };
  if (webhooks.length > 0 || namespace !== undefined) return { kind: "cluster" };
  const [home, ...others] = homes;
  if (home === undefined) return undefined;
  if (others.length === 0) return { kind: "namespaced", namespace: home };
  const list = homes.map((name) => `"${name}"`).join(", ");
  throw new Error(
    `Cannot tell which controller is meant: there is one in each of the namespaces ${list}, must be named`,
  );
}

/** Without the path, as `install` takes it; the validating webhook's before the other's. */
function foundUrl(webhooks: readonly WebhookConfiguration[]): string | undefined {
  const isValidator = ({ metadata }: KubeObject) => metadata.name === validator.configuration;
  const ordered = webhooks.toSorted((one, other) => Number(isValidator(other)) - Number(isValidator(one)));
  const [url] = ordered.flatMap((each) => (each.webhooks ?? []).flatMap(({ clientConfig }) => clientConfig.url ?? []));
  return url?.replace(/\/(validate|mutate)$/, "");
}

/** Others may have put containers of theirs before it. */
function controllerImage(controller: Deployment | undefined): string | undefined {
  return controller?.spec.template.spec.containers.find(({ name }) => name === controllerContainer)?.image;
}

/** Out of the cluster there is no Deployment, but the policy names the image of the workers; in an upgrade, the new one first. */
function policyImage(policy: AdmissionPolicy | undefined): string | undefined {
  const text = policy?.spec?.validations?.map(({ expression }) => expression).join() ?? "";
  return /\bc\.image (?:== |in \[)'([^']*)'/.exec(text)?.[1];
}
