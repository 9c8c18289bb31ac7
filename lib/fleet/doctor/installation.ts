// What checks share: where the parts of an installation are, and whether there are webhooks.
import type { Placement } from "../../manifest/extension.ts";
import { extensionNamespace } from "../../manifest/names.ts";

/** The namespace of a controller's Deployment, account and Lease. */
export function homeOf(placement: Placement): string {
  return placement.kind === "namespaced" ? placement.namespace : extensionNamespace;
}

/** Whether the API server is to ask the controller at admission. */
export function hasWebhooks(placement: Placement): boolean {
  return placement.kind !== "namespaced";
}
