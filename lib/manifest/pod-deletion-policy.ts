// The Pods that the controller may delete: worker Pods, by the label that pod-policy.ts lets it put on no others. Those of
// a former version's image are among them, and those whose LoadTest was deleted without them and that have no owner left.
import { loadTestLabel } from "../plan/names.ts";
import { accountPolicy, accountPolicyBinding } from "./account-policy.ts";
import type { Manifest } from "./manifest.ts";

const policyName = "loadtest-worker-pod-deletions";

export function podDeletionPolicy(): Manifest[] {
  return [
    accountPolicy({
      name: policyName,
      resource: "pods",
      operations: ["DELETE"],
      validations: [
        {
          expression: `has(oldObject.metadata.labels) && '${loadTestLabel}' in oldObject.metadata.labels`,
          message: "the Pod must be a worker",
        },
      ],
    }),
    accountPolicyBinding(policyName),
  ];
}
