// Reviews as the API server sends them.

const loadTest = {
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name: "my-loadtest", namespace: "here" },
  spec: { service: "my-service", scheme: "https", requestsPerSecond: 1000 },
};

/** Of a new LoadTest, well-formed but for `spec`. */
export function review(uid: string, spec: object = {}): object {
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid,
      kind: { group: "beta.kuar.com", version: "v1", kind: "LoadTest" },
      resource: { group: "beta.kuar.com", version: "v1", resource: "loadtests" },
      name: "my-loadtest",
      namespace: "here",
      operation: "CREATE",
      userInfo: { username: "admin", groups: ["system:masters", "system:authenticated"] },
      object: { ...loadTest, spec: { ...loadTest.spec, ...spec } },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
}

export function reviewText(uid: string, spec: object = {}): string {
  return JSON.stringify(review(uid, spec));
}
