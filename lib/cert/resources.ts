// The objects of the API server that hold certificates, as far as they are read or written here.
import { clusterResource, namespacedResource } from "../kube/resource.ts";
import type { KubeObject } from "../plan/objects.ts";

export interface Secret extends KubeObject {
  /** Values in base64. */
  data?: Record<string, string>;
}

export const secrets = namespacedResource<Secret>("", "Secret");

export interface WebhookConfiguration extends KubeObject {
  webhooks?: {
    name: string;
    clientConfig: { caBundle?: string; url?: string; service?: { name: string; namespace: string } };
  }[];
}

const admission = "admissionregistration.k8s.io";
export const validatingConfigurations = clusterResource<WebhookConfiguration>(
  admission,
  "ValidatingWebhookConfiguration",
);
export const mutatingConfigurations = clusterResource<WebhookConfiguration>(admission, "MutatingWebhookConfiguration");
