// What the extension's own objects are called: the book's names for its webhooks, `loadtest` for all else.
import { apiGroup } from "../loadtest/api-group.ts";

export const extensionNamespace = "loadtest-system";
/** Deployment, ServiceAccount, Service, roles and their bindings. */
export const extensionName = "loadtest";
/** Of the Deployment's Pods. */
export const controllerContainer = "controller";
export const extensionLabels = {
  "app.kubernetes.io/name": extensionName,
  "app.kubernetes.io/component": "controller",
};

export const ports = { admission: 8443, health: 8081, metrics: 8080 } as const;

export interface WebhookName {
  /** Name of the configuration object. */
  configuration: string;
  webhook: string;
  path: string;
}
export const validator: WebhookName = {
  configuration: "kuar-validator",
  webhook: "validator.kuar.com",
  path: "/validate",
};
export const defaulter: WebhookName = {
  configuration: "kuar-defaulter",
  webhook: "defaulter.kuar.com",
  path: "/mutate",
};

/** Secrets of the serving certificate: what is served, and the authority that signs it. */
export const servingSecret = "loadtest-webhook-tls";
export const authoritySecret = "loadtest-webhook-ca";
export const leaderLease = "loadtest-controller";
/** Under which the extension signs certificate requests itself. */
export const ownSigner = `${apiGroup}/webhook-serving`;

/** The name by which the API server calls a Service. */
export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc`;
}
