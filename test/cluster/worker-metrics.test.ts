// What Prometheus would find: workers by the endpoints of their Service, and figures that agree with the object's.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";
import { startTarget } from "./target.ts";

const namespace = "loadtest-worker-metrics";
const inNamespace = ["-n", namespace];
const apply = (object: object) => kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(object));

interface EndpointSlices {
  items: { ports: { name: string; port: number }[] | null; endpoints: { addresses: string[] }[] | null }[];
}

async function endpoints(): Promise<string[]> {
  const selector = "app.kubernetes.io/component=worker";
  const { items } = await kubectlJson<EndpointSlices>(["get", "endpointslices", ...inNamespace, "-l", selector]);
  return items.flatMap(({ ports, endpoints }) =>
    (endpoints ?? []).flatMap(({ addresses }) => addresses.map((ip) => `${ip}:${ports?.[0]?.port}`)),
  );
}

async function sentBy(endpoint: string): Promise<number> {
  const text = await (await fetch(`http://${endpoint}/metrics`)).text();
  return Number(/^loadtest_worker_sent_total (\d+)$/m.exec(text)?.[1]);
}

describe.skipIf(kubeconfig === "")("the metrics of workers on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await installController();
    await startTarget(namespace);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("are found by the endpoints of a Service, and add up to the load", async () => {
    const spec = { service: "web", scheme: "http", requestsPerSecond: 40, workers: 2 };
    await apply({ apiVersion, kind: "LoadTest", metadata: { name: "seen" }, spec });
    const found = await eventually(endpoints, ({ length }) => length === 2, 60_000);
    const sent = await eventually(
      () => Promise.all(found.map(sentBy)),
      (counts) => counts.every((count) => count > 100),
      60_000,
    );
    expect(Math.abs((sent[0] as number) - (sent[1] as number))).toBeLessThan(60); // two scrapes, two moments
    const { status } = await kubectlJson<{ status: LoadTestStatus }>(["get", "lt", "seen", ...inNamespace]);
    expect(status.conditions?.find(({ type }) => type === "TargetAnswers")).toMatchObject({
      status: "True",
      message: "Before the load, 1 request was sent, and answered as expected.",
    });
  }, 180_000);
});
