// What belongs to an installed extension, as `install` applies it, `diff` and `sync` compare it and `doctor` looks for it:
// the objects of manifests/, in the order in which each finds what it needs.
import type { KubeObject } from "../plan/objects.ts";
import { canaryResource } from "./canary-resource.ts";
import { type ControllerParts, controllerParts, namespacedControllerParts } from "./controller.ts";
import { loadTestResource } from "./load-test-resource.ts";
import { loadTestResultResource } from "./load-test-result-resource.ts";
import type { Manifest } from "./manifest.ts";
import { mutatingConfiguration, validatingConfiguration } from "./webhooks.ts";

export interface ExtensionOptions {
  /** Of this program: the controller's and the workers'. */
  image: string;
  replicas: number;
  placement: Placement;
}

export type Placement =
  /** For all namespaces, in a namespace of its own, with webhooks behind its Service. */
  | { kind: "cluster" }
  /** For one namespace, which must be there, and with nothing that is the cluster's but the kinds. */
  | { kind: "namespaced"; namespace: string }
  /** For all namespaces, by a controller that runs elsewhere and serves the webhooks at this URL. */
  | { kind: "outOfCluster"; url: string };

/** Objects that become ready before those of the next step are applied. */
export interface Step {
  name: StepName;
  objects: readonly KubeObject[];
}

/** `webhooks` holds them as they are in the end: the validating one fails closed. */
export type StepName = "namespace" | "kinds" | "rights" | "belongings" | "controller" | "webhooks";

/** What `install` applies, in order; steps without objects are left out. */
export function extensionSteps({ image, replicas, placement }: ExtensionOptions): readonly Step[] {
  const steps: Step[] = stepsOf(partsOf(placement, { image, replicas }), webhooksOf(placement));
  return steps.filter(({ objects }) => objects.length > 0);
}

function stepsOf(parts: ControllerParts, webhooks: readonly Manifest[]): Step[] {
  return [
    { name: "namespace", objects: parts.namespace },
    { name: "kinds", objects: [loadTestResource(), canaryResource(), loadTestResultResource()] },
    { name: "rights", objects: parts.rights },
    { name: "belongings", objects: parts.belongings },
    { name: "controller", objects: parts.deployment },
    { name: "webhooks", objects: webhooks },
  ];
}

function partsOf(placement: Placement, options: { image: string; replicas: number }): ControllerParts {
  switch (placement.kind) {
    case "cluster":
      return controllerParts(options);
    case "outOfCluster":
      return { ...controllerParts(options), deployment: [] };
    case "namespaced":
      return placedIn(placement.namespace, namespacedControllerParts(options));
  }
}

function webhooksOf(placement: Placement): readonly Manifest[] {
  if (placement.kind === "namespaced") return [];
  const url = placement.kind === "outOfCluster" ? placement.url : undefined;
  return [mutatingConfiguration(url), validatingConfiguration(url)];
}

function placedIn(namespace: string, parts: ControllerParts): ControllerParts {
  const placed = (objects: readonly Manifest[]) =>
    objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
  return {
    namespace: [],
    rights: placed(parts.rights),
    belongings: placed(parts.belongings),
    deployment: placed(parts.deployment),
  };
}
