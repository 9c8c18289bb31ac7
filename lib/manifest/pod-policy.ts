// A ValidatingAdmissionPolicy on the controller's own account: whoever takes over the controller can make worker Pods,
// and no others. RBAC cannot say this, since a right to make Pods is a right to make any.
import type { Manifest } from "./manifest.ts";
import { extensionName, extensionNamespace } from "./names.ts";

const policyName = "loadtest-worker-pods";
const apiVersion = "admissionregistration.k8s.io/v1";
const account = `system:serviceaccount:${extensionNamespace}:${extensionName}`;

interface Validation {
  expression: string;
  message: string;
}

/** The worker Pods' volumes: the plan, values and certificates, and what a worker keeps for its next epoch. */
const volumeTypes = ["downwardAPI", "configMap", "secret", "emptyDir"];

function validations(image: string): Validation[] {
  const pod = "object.spec";
  return [
    {
      expression: `${pod}.containers.all(c, c.image == '${image}') && !has(${pod}.initContainers) && !has(${pod}.ephemeralContainers)`,
      message: `the containers must run ${image} and nothing else`,
    },
    {
      expression: `has(${pod}.automountServiceAccountToken) && !${pod}.automountServiceAccountToken`,
      message: "the Pod must have no token",
    },
    {
      expression: `!has(${pod}.volumes) || ${pod}.volumes.all(v, ${volumeTypes.map((type) => `has(v.${type})`).join(" || ")})`,
      message: `the volumes must be ${volumeTypes.join(", ")}`,
    },
    {
      expression: ["hostNetwork", "hostPID", "hostIPC"]
        .map((field) => `(!has(${pod}.${field}) || !${pod}.${field})`)
        .join(" && "),
      message: "the Pod must have namespaces of its own",
    },
    {
      expression: `has(${pod}.securityContext.runAsNonRoot) && ${pod}.securityContext.runAsNonRoot && ${pod}.securityContext.seccompProfile.type == 'RuntimeDefault'`,
      message: "the Pod must run as a user other than root, with the runtime's seccomp profile",
    },
    {
      expression: `${pod}.containers.all(c, !c.securityContext.allowPrivilegeEscalation && c.securityContext.readOnlyRootFilesystem && c.securityContext.capabilities.drop.exists(d, d == 'ALL') && !has(c.securityContext.capabilities.add) && (!has(c.securityContext.privileged) || !c.securityContext.privileged) && (!has(c.securityContext.runAsNonRoot) || c.securityContext.runAsNonRoot) && !has(c.securityContext.runAsUser) && !has(c.securityContext.seccompProfile))`,
      message: "the containers must have no privileges, no capabilities and a root file system that is read only",
    },
    {
      expression:
        "object.metadata.ownerReferences.exists(o, o.apiVersion.startsWith('beta.kuar.com/') && o.kind == 'LoadTest' && o.controller)",
      message: "the Pod must belong to a LoadTest",
    },
  ];
}

/** `image` is the only one that the controller may run. */
export function podPolicy(image: string): Manifest {
  return {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: policyName, labels: { "app.kubernetes.io/name": extensionName } },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["pods"] },
        ],
      },
      matchConditions: [{ name: "made-by-the-controller", expression: `request.userInfo.username == '${account}'` }],
      validations: validations(image).map((validation) => ({ ...validation, reason: "Forbidden" })),
    },
  };
}

export function podPolicyBinding(): Manifest {
  return {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: policyName, labels: { "app.kubernetes.io/name": extensionName } },
    spec: { policyName, validationActions: ["Deny"] },
  };
}
