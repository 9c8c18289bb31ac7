// The Pods that the controller may make and change: worker Pods (lib/plan/worker-pod.ts), whatever a podTemplate asks for.
import { type AccountPolicy, accountPolicy, accountPolicyBinding, belongsToLoadTest } from "./account-policy.ts";
import type { Manifest } from "./manifest.ts";

export const podPolicyName = "loadtest-worker-pods";

/** The worker Pods' volumes: the plan, values and certificates, and what a worker keeps for its next epoch. */
const volumeTypes = ["downwardAPI", "configMap", "secret", "emptyDir"];

/** By which the kubelet runs or asks something of its own accord. */
const hooks = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

function validations(images: readonly string[]): AccountPolicy["validations"] {
  const pod = "object.spec";
  const [image = "", ...others] = images;
  const runsOurs =
    others.length === 0 ? `c.image == '${image}'` : `c.image in [${images.map((one) => `'${one}'`).join(", ")}]`;
  return [
    {
      expression: `${pod}.containers.all(c, ${runsOurs}) && !has(${pod}.initContainers) && !has(${pod}.ephemeralContainers)`,
      message: `the containers must run ${images.join(" or ")} and nothing else`,
    },
    {
      expression: `${pod}.containers.all(c, !has(c.command) && has(c.args) && c.args[0] == 'worker' && !has(c.env) && !has(c.envFrom))`,
      message: "the containers must be workers, without a command or an environment of their own",
    },
    {
      expression: `${pod}.containers.all(c, ${hooks.map((hook) => `!has(c.${hook})`).join(" && ")})`,
      message: `the containers must have none of ${hooks.join(", ")}`,
    },
    {
      expression: `${pod}.containers.all(c, !has(c.ports) || c.ports.all(p, !has(p.hostPort) || p.hostPort == 0))`,
      message: "the containers must have no ports of the node",
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
    { expression: belongsToLoadTest("object"), message: "the Pod must belong to a LoadTest" },
  ];
}

/** `images` are the only ones that the controller may run: more than one while one version takes the place of another. */
export function podPolicy(...images: readonly [string, ...string[]]): Manifest {
  return accountPolicy({
    name: podPolicyName,
    resource: "pods",
    operations: ["CREATE", "UPDATE"],
    validations: validations(images),
  });
}

export function podPolicyBinding(): Manifest {
  return accountPolicyBinding(podPolicyName);
}
