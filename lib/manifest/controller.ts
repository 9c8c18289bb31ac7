// The objects that run the controller in a cluster: its namespace, identity, rights and Deployment.
// Each right is one the controller uses, on named objects wherever their names are known; there is no wildcard.
import { apiGroup } from "../loadtest/api-group.ts";
import { restrictedContainer, restrictedPod } from "../plan/restricted.ts";
import {
  authoritySecret,
  defaulter,
  extensionLabels,
  extensionNamespace,
  leaderLease,
  extensionName as name,
  ports,
  servingSecret,
  validator,
} from "./names.ts";
import { podPolicy, podPolicyBinding } from "./pod-policy.ts";

const rbac = "rbac.authorization.k8s.io";
const inNamespace = { name, namespace: extensionNamespace };

/** `image` runs the controller and, by LOADTEST_IMAGE, the workers. */
export function controllerObjects({ image }: { image: string }): object[] {
  return [
    namespace(),
    serviceAccount(),
    clusterRole(),
    clusterRoleBinding(),
    role(),
    roleBinding(),
    ...emptyObjects(),
    service(),
    podPolicy(image),
    podPolicyBinding(),
    deployment(image),
  ];
}

function namespace(): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: extensionNamespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  };
}

function serviceAccount(): object {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: inNamespace };
}

function clusterRole(): object {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRole",
    metadata: { name },
    rules: [
      { apiGroups: [apiGroup], resources: ["loadtests"], verbs: ["get", "list", "watch"] },
      { apiGroups: [apiGroup], resources: ["loadtests/status"], verbs: ["patch"] },
      { apiGroups: [apiGroup], resources: ["loadtestresults"], verbs: ["get", "create", "update"] },
      { apiGroups: [apiGroup], resources: ["canaries"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "create", "patch", "delete"] },
      { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
      { apiGroups: [""], resources: ["services"], verbs: ["get"] },
      { apiGroups: [""], resources: ["events"], verbs: ["list"] },
      { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
      { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["validatingwebhookconfigurations"],
        resourceNames: [validator.configuration],
        verbs: ["get", "patch"],
      },
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["mutatingwebhookconfigurations"],
        resourceNames: [defaulter.configuration],
        verbs: ["get", "patch"],
      },
    ],
  };
}

/** What it may do in its own namespace. It makes none of these objects, since a right to create cannot be limited to a name. */
function role(): object {
  return {
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata: inNamespace,
    rules: [
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: [servingSecret, authoritySecret],
        verbs: ["get", "update"],
      },
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        resourceNames: [leaderLease],
        verbs: ["get", "update"],
      },
      { apiGroups: [""], resources: ["services/status"], resourceNames: [name], verbs: ["patch"] },
    ],
  };
}

function clusterRoleBinding(): object {
  return binding("ClusterRoleBinding", { name }, "ClusterRole");
}

function roleBinding(): object {
  return binding("RoleBinding", inNamespace, "Role");
}

function binding(kind: string, metadata: object, role: string): object {
  return {
    apiVersion: `${rbac}/v1`,
    kind,
    metadata,
    roleRef: { apiGroup: rbac, kind: role, name },
    subjects: [{ kind: "ServiceAccount", ...inNamespace }],
  };
}

/** What the controller fills: applying them again leaves their content alone. */
function emptyObjects(): object[] {
  const metadata = (name: string) => ({ name, namespace: extensionNamespace });
  return [
    { apiVersion: "v1", kind: "Secret", metadata: metadata(servingSecret), type: "Opaque" },
    { apiVersion: "v1", kind: "Secret", metadata: metadata(authoritySecret), type: "Opaque" },
    { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: metadata(leaderLease) },
  ];
}

function service(): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...inNamespace, labels: extensionLabels },
    spec: {
      selector: extensionLabels,
      ports: [{ name: "admission", port: 443, targetPort: "admission" }],
    },
  };
}

function deployment(image: string): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...inNamespace, labels: extensionLabels },
    spec: {
      replicas: 2,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: extensionLabels },
      template: {
        metadata: { labels: extensionLabels },
        spec: {
          serviceAccountName: name,
          enableServiceLinks: false,
          securityContext: restrictedPod,
          containers: [
            {
              name: "controller",
              image,
              imagePullPolicy: "IfNotPresent",
              args: ["controller", "--leader-elect"],
              env: [{ name: "LOADTEST_IMAGE", value: image }],
              ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
              livenessProbe: { httpGet: { path: "/healthz", port: "health" }, periodSeconds: 10, timeoutSeconds: 5 },
              readinessProbe: { httpGet: { path: "/readyz", port: "health" }, periodSeconds: 2, timeoutSeconds: 5 },
              resources: {
                requests: { cpu: "100m", memory: "128Mi" },
                limits: { memory: "512Mi" },
              },
              securityContext: restrictedContainer,
            },
          ],
        },
      },
    },
  };
}
