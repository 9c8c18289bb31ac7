// The objects of the API server that hold certificates, as far as they are read or written here.
import type { Resource } from "../kube/resource.ts";
import type { KubeObject } from "../plan/objects.ts";

export interface Secret extends KubeObject {
  /** Values in base64. */
  data?: Record<string, string>;
}

export const secrets: Resource<Secret> = {
  group: "",
  version: "v1",
  plural: "secrets",
  kind: "Secret",
  namespaced: true,
};

export interface WebhookConfiguration extends KubeObject {
  webhooks?: {
    name: string;
    clientConfig: { caBundle?: string; url?: string; service?: { name: string; namespace: string } };
  }[];
}

function webhookConfigurations(kind: string): Resource<WebhookConfiguration> {
  const plural = `${kind.toLowerCase()}s`;
  return { group: "admissionregistration.k8s.io", version: "v1", plural, kind, namespaced: false };
}

export const validatingConfigurations = webhookConfigurations("ValidatingWebhookConfiguration");
export const mutatingConfigurations = webhookConfigurations("MutatingWebhookConfiguration");
