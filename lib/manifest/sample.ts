// The samples of the documentation: a LoadTest of the four fields that one needs at most, one with Secrets and wishes
// about its Pods, and a Canary.
import { apiVersion } from "../loadtest/api-group.ts";
import type { CanaryManifest } from "../loadtest/canary.ts";
import type { LoadTestManifest } from "../loadtest/load-test.ts";

export const sampleLoadTest: LoadTestManifest = {
  apiVersion,
  kind: "LoadTest",
  metadata: { name: "my-loadtest" },
  spec: {
    service: "my-service",
    scheme: "https",
    requestsPerSecond: 1000,
    paths: ["/index.html", "/login.html", "/shares/my-shares/"],
  },
};

/** With a token from a Secret, and wishes about its Pods. */
export const sampleWorkerPods: LoadTestManifest = {
  apiVersion,
  kind: "LoadTest",
  metadata: { name: "my-orders" },
  spec: {
    service: "my-service",
    scheme: "https",
    requestsPerSecond: 200,
    duration: "1m",
    workers: 2,
    requests: [
      {
        path: "/orders",
        method: "POST",
        headers: [
          { name: "Content-Type", value: "application/json" },
          { name: "Authorization", valueFrom: { secretKeyRef: { name: "my-orders", key: "authorization" } } },
        ],
        bodyFrom: { configMapKeyRef: { name: "my-orders", key: "order.json" } },
        expectStatus: [201],
      },
    ],
    podTemplate: {
      labels: { team: "my-team" },
      resources: { requests: { cpu: "500m" }, limits: { memory: "256Mi" } },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
      ],
    },
  },
};

export const sampleCanary: CanaryManifest = {
  apiVersion,
  kind: "Canary",
  metadata: { name: "my-canary" },
  spec: {
    backends: [
      { service: "my-service", percent: 90 },
      { service: "my-service-next", percent: 10 },
    ],
  },
};
