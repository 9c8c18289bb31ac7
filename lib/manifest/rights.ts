// What the controller may do, by what it is for. Each right is one that it uses, which a cluster test shows by taking it
// away; on named objects wherever their names are known, and without a wildcard. Nothing it has a name for may it make,
// since a right to create cannot be limited to a name: the manifests make those objects, empty.
import { apiGroup } from "../loadtest/api-group.ts";
import { authoritySecret, defaulter, extensionName, leaderLease, servingSecret, validator } from "./names.ts";

export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** LoadTests made into worker Pods, wherever it looks after them. */
export const workRules: PolicyRule[] = [
  { apiGroups: [apiGroup], resources: ["loadtests"], verbs: ["get", "list", "watch", "delete"] },
  { apiGroups: [apiGroup], resources: ["loadtests/status"], verbs: ["patch"] },
  { apiGroups: [apiGroup], resources: ["loadtestresults"], verbs: ["get", "create", "update"] },
  { apiGroups: [apiGroup], resources: ["canaries"], verbs: ["get", "list", "watch"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "create", "patch", "delete"] },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
  { apiGroups: [""], resources: ["services"], verbs: ["get", "create", "delete"] },
  { apiGroups: [""], resources: ["events"], verbs: ["list"] },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
];

/** To be the one of several that acts. */
export const leaderRules: PolicyRule[] = [
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: [leaderLease],
    verbs: ["get", "update"],
  },
];

/** Whether who names a Secret in a LoadTest may get it. */
export const admissionRules: PolicyRule[] = [
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];

/** The caBundles of the webhooks. */
export const registrationRules: PolicyRule[] = [
  {
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["validatingwebhookconfigurations"],
    resourceNames: [validator.configuration],
    verbs: ["get", "list", "watch", "patch"],
  },
  {
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["mutatingwebhookconfigurations"],
    resourceNames: [defaulter.configuration],
    verbs: ["get", "list", "watch", "patch"],
  },
];

/** The serving certificate, and what is told of it. */
export const certificateRules: PolicyRule[] = [
  {
    apiGroups: [""],
    resources: ["secrets"],
    resourceNames: [servingSecret, authoritySecret],
    verbs: ["get", "list", "watch", "update"],
  },
  { apiGroups: [""], resources: ["services/status"], resourceNames: [extensionName], verbs: ["patch"] },
];
