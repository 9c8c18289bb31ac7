// The paths of a load are tried before it begins, and what comes of that is said on the object; the target counts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import type { TargetReport } from "../../lib/target/report.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, spawnKubectl } from "./kubectl.ts";
import { startTarget } from "./target.ts";

const namespace = "loadtest-preflight";
const host = `web.${namespace}.svc`;
const inNamespace = ["-n", namespace];
const basics = { service: "web", scheme: "http", requestsPerSecond: 20, duration: "3s", workers: 2 };
const none = { path: "/none", expectStatus: [404] };

const apply = (object: object) => kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(object));
const load = (name: string, spec: object) =>
  apply({ apiVersion, kind: "LoadTest", metadata: { name }, spec: { ...basics, ...spec } });

async function conditionsOf(name: string): Promise<Record<string, Condition>> {
  const { status } = await kubectlJson<{ status?: LoadTestStatus }>(["get", "lt", name, ...inNamespace]);
  return Object.fromEntries((status?.conditions ?? []).map((condition) => [condition.type, condition]));
}

async function eventReasons(name: string): Promise<string[]> {
  const events = await kubectlJson<{ items: { reason: string; regarding: { name: string } }[] }>([
    "get",
    "events.events.k8s.io",
    ...inNamespace,
  ]);
  return events.items.filter(({ regarding }) => regarding.name === name).map(({ reason }) => reason);
}

describe.skipIf(kubeconfig === "")("the preflight on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await installController();
    await startTarget(namespace, "--output", "json");
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("a target that has none of the paths is not loaded; one that has some is, and the others are named", async () => {
    const log = spawnKubectl(["logs", "-f", "web", ...inNamespace]);
    await load("none", { requests: [none] });
    const failed = await eventually(
      () => conditionsOf("none"),
      ({ Stalled }) => Stalled?.reason === "TargetRejected",
      30_000,
    );
    expect(failed["WorkersReady"]?.message).toContain(`GET "/none" to "${host}": status 200`);
    await kubectl(["delete", "lt", "none", ...inNamespace]);

    await load("some", { requests: [{ path: "/some" }, { ...none, path: "/half" }] });
    await kubectl(["wait", "--for=condition=Complete", "lt/some", ...inNamespace, "--timeout=60s"]);
    const words = `Before the load, 2 requests were sent; 1 failed, such as GET "/half" to "${host}": status 200.`;
    expect((await conditionsOf("some"))["TargetAnswers"]).toMatchObject({ status: "False", message: words });
    await eventually(
      () => eventReasons("some"),
      (reasons) => reasons.includes("PathsFailed"),
    );

    await kubectl(["delete", "pod", "web", ...inNamespace]);
    const { paths } = JSON.parse((await log.stdout.text()).trim().split("\n").at(-1) as string) as TargetReport;
    const counted = Object.fromEntries(paths.map(({ path, requests }) => [path, requests]));
    expect(counted).toMatchObject({ "/some": 1 + 30, "/half": 1 + 30 });
    expect(counted["/none"]).toBeLessThanOrEqual(4); // one at each start of the worker, and no load
  }, 120_000);
});
