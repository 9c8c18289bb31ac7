// The controller of one namespace: with Roles alone it does all its work there, and touches nothing else.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { installKinds, manifestFile, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";

const namespace = "loadtest-one";
const other = "loadtest-other";

interface List {
  items: { metadata: { name: string } }[];
}

const loadTest = {
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name: "here" },
  spec: { service: "target", scheme: "http", port: 8080, requestsPerSecond: 20, workers: 2, duration: "3s" },
};
const workers = (where: string) =>
  kubectlJson<List>(["get", "pods", "-n", where, "-l", "app.kubernetes.io/component=worker"]);
const services = () => kubectlJson<List>(["get", "services", "-n", namespace]);
const phase = () => kubectl(["get", "lt", "here", "-n", namespace, "-o", "jsonpath={.status.phase}"]);
const logs = () =>
  kubectl(["logs", "-n", namespace, "-l", "app.kubernetes.io/component=controller", "--tail=-1", "--prefix"]);

describe.skipIf(kubeconfig === "")("the controller of one namespace", () => {
  beforeAll(async () => {
    await installKinds();
    for (const name of [namespace, other]) {
      await kubectl(["create", "namespace", name]);
      const run = ["run", "target", "-n", name, "--image=localhost/loadtest:dev", "--port=8080", "--expose"];
      await kubectl([...run, "--", "target", "--host", "0.0.0.0"]);
    }
    await kubectl(["apply", "-n", other, "-f", "-"], JSON.stringify(loadTest));
    const files = ["controller-namespaced", "network-policy"].flatMap((name) => ["-f", manifestFile(name)]);
    await kubectl(["apply", "-n", namespace, ...files]);
    await kubectl(["rollout", "status", "deployment/loadtest", "-n", namespace, "--timeout=90s"]);
  }, 120_000);

  afterAll(async () => {
    await kubectl(["delete", "namespace", namespace, other]);
    await removeExtension();
  }, 120_000);

  test("a LoadTest there runs from its Pods to its results, with a Service for its metrics meanwhile", async () => {
    await kubectl(["apply", "-n", namespace, "-f", "-"], JSON.stringify(loadTest));
    await eventually(services, ({ items }) => items.some(({ metadata }) => metadata.name.startsWith("lt-here-")));
    await eventually(phase, (word) => word === "Finished");
    await eventually(services, ({ items }) => items.length === 1);
    await kubectl(["delete", "lt", "here", "-n", namespace]);
    await eventually(
      () => workers(namespace),
      ({ items }) => items.length === 0,
    );
  }, 120_000);

  test("a LoadTest elsewhere is left alone", async () => {
    expect((await workers(other)).items).toEqual([]);
    expect(await kubectl(["get", "lt", "here", "-n", other, "-o", "jsonpath={.status}"])).toBe("");
  });

  test("one of its replicas holds the Lease there, and nothing that it asked for was refused", async () => {
    const holder = ["get", "lease", "loadtest-controller", "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}"];
    expect(await kubectl(holder)).toMatch(/^loadtest-/);
    const text = await logs();
    expect(text).toContain("controller started");
    expect(text).not.toMatch(/forbidden/i);
  });
});
