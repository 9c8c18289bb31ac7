// The objects that run the controller in a cluster: its namespace, identity, rights and Deployment.
// Each right is one the controller uses; there is no wildcard.
import { apiGroup } from "../loadtest/api-group.ts";
import { restrictedContainer, restrictedPod } from "../plan/restricted.ts";

export const controllerNamespace = "loadtest-system";
export const healthPort = 8081;
const name = "loadtest";
const labels = { "app.kubernetes.io/name": name, "app.kubernetes.io/component": "controller" };

/** `image` runs the controller and, by LOADTEST_IMAGE, the workers. */
export function controllerObjects({ image }: { image: string }): object[] {
  return [namespace(), serviceAccount(), clusterRole(), clusterRoleBinding(), deployment(image)];
}

function namespace(): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: controllerNamespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  };
}

function serviceAccount(): object {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: controllerNamespace } };
}

function clusterRole(): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name },
    rules: [
      { apiGroups: [apiGroup], resources: ["loadtests"], verbs: ["get", "list"] },
      { apiGroups: [apiGroup], resources: ["loadtests/status"], verbs: ["patch"] },
      { apiGroups: [apiGroup], resources: ["canaries"], verbs: ["get"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "create", "patch", "delete"] },
      { apiGroups: [""], resources: ["services"], verbs: ["get"] },
    ],
  };
}

function clusterRoleBinding(): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ kind: "ServiceAccount", name, namespace: controllerNamespace }],
  };
}

function deployment(image: string): object {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: controllerNamespace, labels },
    spec: {
      replicas: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          enableServiceLinks: false,
          securityContext: restrictedPod,
          containers: [
            {
              name: "controller",
              image,
              imagePullPolicy: "IfNotPresent",
              args: ["controller"],
              env: [{ name: "LOADTEST_IMAGE", value: image }],
              ports: [{ name: "health", containerPort: healthPort }],
              livenessProbe: { httpGet: { path: "/healthz", port: "health" }, periodSeconds: 10, timeoutSeconds: 5 },
              readinessProbe: { httpGet: { path: "/readyz", port: "health" }, periodSeconds: 2, timeoutSeconds: 5 },
              resources: {
                requests: { cpu: "50m", memory: "96Mi" },
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
