// The Services that the controller may make and delete: those over the workers of a LoadTest (lib/plan/metrics-service.ts).
// They have no address and lead to workers alone, so that none draws traffic from elsewhere.
import { loadTestLabel } from "../plan/names.ts";
import { accountPolicy, accountPolicyBinding, belongsToLoadTest } from "./account-policy.ts";
import type { Manifest } from "./manifest.ts";

const policyName = "loadtest-worker-services";

export function servicePolicy(): Manifest[] {
  const service = "variables.service";
  return [
    accountPolicy({
      name: policyName,
      resource: "services",
      operations: ["CREATE", "DELETE"],
      variables: [{ name: "service", expression: "request.operation == 'DELETE' ? oldObject : object" }],
      validations: [
        {
          expression: `${service}.spec.type == 'ClusterIP' && ${service}.spec.clusterIP == 'None' && !has(${service}.spec.externalIPs)`,
          message: "the Service must be headless and have no external addresses",
        },
        {
          expression: `has(${service}.spec.selector) && '${loadTestLabel}' in ${service}.spec.selector`,
          message: "the Service must select the workers of a LoadTest",
        },
        { expression: belongsToLoadTest(service), message: "the Service must belong to a LoadTest" },
      ],
    }),
    accountPolicyBinding(policyName),
  ];
}
