// The registration of the admission endpoint: what the API server asks it, and what becomes of an object when no
// answer comes. It can hold up nothing but new specs of our own kinds.
import { apiGroup } from "../loadtest/api-group.ts";
import type { Manifest } from "./manifest.ts";
import { defaulter, extensionName, extensionNamespace, validator, type WebhookName } from "./names.ts";

/** How the API server finds the endpoint; the controller adds the authority to trust. */
export type ClientConfig =
  | { service: { name: string; namespace: string; path: string; port: number } }
  | { url: string };

/** In the cluster, by the Service; outside, by a URL without path such as `https://192.0.2.7:8443`. */
export function clientConfig({ path }: WebhookName, url?: string): ClientConfig {
  if (url !== undefined) return { url: url.replace(/\/+$/, "") + path };
  return { service: { name: extensionName, namespace: extensionNamespace, path, port: 443 } };
}

/**
 * A stopped webhook must not hold up the deletion of an object or its finalizers, and a spec that has been judged need
 * not be judged again.
 */
const matchConditions = [
  {
    name: "new-spec",
    expression:
      "request.operation == 'CREATE' || (!has(object.metadata.deletionTimestamp) && object.spec != oldObject.spec)",
  },
];

/** Without an answer nothing is stored: a malformed object must not be. The CRD's own rules hold in any case. */
export function validatingConfiguration(url?: string): Manifest {
  return configuration("ValidatingWebhookConfiguration", validator, {
    rules: [rule(["loadtests", "canaries"])],
    failurePolicy: "Fail",
    clientConfig: clientConfig(validator, url),
  });
}

/** Without an answer the object is stored as it is: the controller reads an absent `paths` in the same way. */
export function mutatingConfiguration(url?: string): Manifest {
  return configuration("MutatingWebhookConfiguration", defaulter, {
    rules: [rule(["loadtests"])],
    failurePolicy: "Ignore",
    reinvocationPolicy: "IfNeeded",
    clientConfig: clientConfig(defaulter, url),
  });
}

function configuration(kind: string, names: WebhookName, webhook: object): Manifest {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name: names.configuration, labels: { "app.kubernetes.io/name": extensionName } },
    webhooks: [
      {
        name: names.webhook,
        ...webhook,
        matchPolicy: "Equivalent",
        matchConditions,
        sideEffects: "None",
        timeoutSeconds: 3,
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}

function rule(resources: string[]): object {
  return {
    apiGroups: [apiGroup],
    apiVersions: ["v1"],
    operations: ["CREATE", "UPDATE"],
    resources,
    scope: "Namespaced",
  };
}
