// ValidatingAdmissionPolicies on the controller's own account, which say what RBAC cannot: a right to make or delete Pods
// or Services is a right to any. Whoever takes over the controller has no more than what worker Pods and their Services
// need.
import { apiGroup } from "../loadtest/api-group.ts";
import type { Manifest } from "./manifest.ts";
import { extensionName, extensionNamespace } from "./names.ts";

const apiVersion = "admissionregistration.k8s.io/v1";
const account = `system:serviceaccount:${extensionNamespace}:${extensionName}`;

export interface AccountPolicy {
  name: string;
  /** Of the core API, version 1. */
  resource: "pods" | "services";
  operations: ("CREATE" | "UPDATE" | "DELETE")[];
  variables?: { name: string; expression: string }[];
  validations: { expression: string; message: string }[];
}

/** All that the account does to the resource by these operations must be valid. */
export function accountPolicy({ name, resource, operations, variables, validations }: AccountPolicy): Manifest {
  return {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata: metadataOf(name),
    spec: {
      failurePolicy: "Fail",
      // With every default written out: of a part that is applied as a whole, another manager's would be a conflict.
      matchConstraints: {
        matchPolicy: "Equivalent",
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations, resources: [resource], scope: "*" }],
      },
      matchConditions: [{ name: "made-by-the-controller", expression: `request.userInfo.username == '${account}'` }],
      ...(variables === undefined ? {} : { variables }),
      validations: validations.map((validation) => ({ ...validation, reason: "Forbidden" })),
    },
  };
}

export function accountPolicyBinding(policyName: string): Manifest {
  return {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: metadataOf(policyName),
    spec: { policyName, validationActions: ["Deny"] },
  };
}

/** CEL: whether `object` belongs to a LoadTest. */
export function belongsToLoadTest(object: string): string {
  return `${object}.metadata.ownerReferences.exists(o, o.apiVersion.startsWith('${apiGroup}/') && o.kind == 'LoadTest' && o.controller)`;
}

function metadataOf(name: string): Manifest["metadata"] {
  return { name, labels: { "app.kubernetes.io/name": extensionName } };
}
