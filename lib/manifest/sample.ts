// The samples of the documentation: a LoadTest of the four fields that one needs at most, and a Canary.
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
