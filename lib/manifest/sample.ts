// The sample of the documentation: the four fields that every LoadTest needs at most.
import { apiVersion, type LoadTestManifest } from "../loadtest/load-test.ts";

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
