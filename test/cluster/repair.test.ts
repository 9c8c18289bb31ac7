// Workers that do not do what they should, on a real cluster, and what is done about them by itself: one that hangs, one that
// goes on by an older plan, and some that do not keep up.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestResults } from "../../lib/loadtest/load-test-results.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { accessLog, startNginx } from "./access-log.ts";
import { expectAccounted, preflightsOf } from "./accounted.ts";
import { isOwnCluster, volumeFile } from "./components.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubectl, kubectlJson } from "./kubectl.ts";
import { workerProcess } from "./worker-process.ts";

const namespace = "loadtest-repair";
const inNamespace = ["-n", namespace];

interface EventList {
  items: { type: string; reason: string; note: string; regarding: { name: string } }[];
}

const applyObject = (object: object) => kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(object));
const apply = (name: string, spec: object) =>
  applyObject({
    apiVersion,
    kind: "LoadTest",
    metadata: { name },
    spec: { service: "my-service", scheme: "http", connections: 8, paths: [`/index.html?${name}`], ...spec },
  });
const statusOf = async (name: string) =>
  (await kubectlJson<{ status?: LoadTestStatus }>(["get", "lt", name, ...inNamespace])).status ?? {};
const condition = ({ conditions = [] }: LoadTestStatus, type: string): Condition | undefined =>
  conditions.find((one) => one.type === type);
const isComplete = (status: LoadTestStatus) => condition(status, "Complete")?.status === "True";
const podsOf = async (name: string) =>
  (
    await kubectlJson<{ items: Observed<Pod>[] }>([
      "get",
      "pods",
      ...inNamespace,
      "-l",
      `beta.kuar.com/loadtest=${name}`,
    ])
  ).items;
const requestsOf = async (name: string) => (await accessLog(namespace)).filter(({ path }) => path.endsWith(`?${name}`));
const serves = (name: string, requests: number) =>
  eventually(
    () => requestsOf(name),
    ({ length }) => length >= requests,
  );

/** Waits until the load has such an Event, and returns what it says. */
async function eventOf(name: string, reason: string, deadlineMs = 120_000): Promise<string> {
  const found = await eventually(
    async () => {
      const { items } = await kubectlJson<EventList>(["get", "events.events.k8s.io", ...inNamespace]);
      return items.find((event) => event.regarding.name === name && event.reason === reason);
    },
    (event) => event !== undefined,
    deadlineMs,
  );
  return found?.note ?? "";
}

describe.skipIf(!isOwnCluster)("on a real cluster of our own", () => {
  beforeAll(async () => {
    await installKinds();
    await Promise.all([installController(), startNginx(namespace)]);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test.concurrent("a worker that hangs is replaced after a minute, and what it did not tell of is lost", async () => {
    await apply("hanging", { requestsPerSecond: 50, duration: "110s", workers: 2 });
    await serves("hanging", 200);
    const before = await podsOf("hanging");
    const stopped = before[1] as Observed<Pod>;
    process.kill(await workerProcess(stopped), "SIGSTOP");
    expect(await eventOf("hanging", "WorkerStuck")).toContain(stopped.metadata.name);
    await eventOf("hanging", "WorkerReplaced");
    const status = await eventually(() => statusOf("hanging"), isComplete, 120_000);
    const results = status.results as LoadTestResults;
    const log = (await requestsOf("hanging")).slice(preflightsOf(status));
    const { scheduled, sent, lost } = results;
    console.log(`the server counts ${log.length}, of ${scheduled} were sent ${sent} and lost ${lost}`);
    expect(scheduled).toBe(5500);
    expect(lost).toBeGreaterThan(60 * 25); // nobody took its share over for a minute
    expectAccounted(results, log);
    expect(condition(status, "Passed")?.status).toBe("Unknown");
  }, 300_000);

  test.concurrent("a load goes on when its only worker is evicted, or has lived as long as its Pod may", async () => {
    await apply("moving", { requestsPerSecond: 50, workers: 1 });
    await serves("moving", 50);
    const replacementOf = (former: Pod) =>
      eventually(
        async () => (await podsOf("moving")).find(({ status }) => status?.phase === "Running"),
        (pod) => pod !== undefined && pod.metadata.uid !== former.metadata.uid,
      );
    const [first] = (await podsOf("moving")) as [Observed<Pod>];
    const { name } = first.metadata;
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    await kubectl(["create", "--raw", path, "-f", "-"], JSON.stringify(eviction));
    const second = (await replacementOf(first)) as Observed<Pod>;
    const deadline = ["--type=merge", "-p", JSON.stringify({ spec: { activeDeadlineSeconds: 1 } })];
    await kubectl(["patch", "pod", second.metadata.name, ...inNamespace, ...deadline]);
    await replacementOf(second);
    const { status: ended } = (await podsOf("moving")).find(
      ({ metadata }) => metadata.uid === second.metadata.uid,
    ) as Pod;
    expect(ended).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
    expect(ended?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(143);
    const before = (await requestsOf("moving")).length;
    await serves("moving", before + 100);
    expect(condition(await statusOf("moving"), "Complete")?.status).toBe("False");
    await kubectl(["patch", "lt", "moving", ...inNamespace, "--type=merge", "-p", '{"spec":{"state":"Stopped"}}']);
    const status = await eventually(() => statusOf("moving"), isComplete);
    expectAccounted(status.results as LoadTestResults, (await requestsOf("moving")).slice(preflightsOf(status)));
  }, 300_000);

  test.concurrent("a worker whose plan is an older one than its Pod's is told again, and follows", async () => {
    await kubectl(["create", "service", "clusterip", "next", "--tcp=80:8080", ...inNamespace]);
    await kubectl(["set", "selector", "service", "next", "app=my-service", ...inNamespace]);
    const split = (percent: number) => ({
      backends: [
        { service: "my-service", percent },
        { service: "next", percent: 100 - percent },
      ],
    });
    await applyObject({ apiVersion, kind: "Canary", metadata: { name: "split" }, spec: split(90) });
    await apply("late", { service: undefined, canary: "split", requestsPerSecond: 50, workers: 2 });
    await serves("late", 200);
    const pod = (await podsOf("late"))[1] as Observed<Pod>;
    const file = volumeFile(pod.metadata.uid, "kubernetes.io~downward-api/plan", "plan.json");
    const older = readFileSync(file, "utf8");
    const patch = ["--type=merge", "-p", JSON.stringify({ spec: split(50) })];
    await kubectl(["patch", "canary", "split", ...inNamespace, ...patch]);
    const newer = await eventually(
      async () => readFileSync(file, "utf8"),
      (text) => text !== older,
    );
    writeFileSync(file, older); // as if the kubelet had missed the change
    const hiddenAtMs = Date.now();
    const late = await eventually(
      () => statusOf("late"),
      (status) => condition(status, "RateAchieved")?.reason === "PlanNotFollowed",
    );
    expect(condition(late, "RateAchieved")?.message).toBe("Worker 1 of 2 goes on by an older plan.");
    expect(await eventOf("late", "PlanToldAgain")).toContain(pod.metadata.name);
    await eventually(
      async () => readFileSync(file, "utf8"),
      (text) => text === newer,
    );
    console.log(`the newer plan was back after ${((Date.now() - hiddenAtMs) / 1000).toFixed(1)} s`);
    await eventually(
      () => statusOf("late"),
      (status) => condition(status, "RateAchieved")?.status === "True",
    );
    expect((await podsOf("late")).map(({ metadata }) => metadata.uid)).toContain(pod.metadata.uid);
    await kubectl(["delete", "lt", "late", ...inNamespace]);
  }, 300_000);

  test.concurrent("workers that do not keep up get another one, where their number is left to us", async () => {
    const resources = { requests: { cpu: "10m" }, limits: { cpu: "60m" } };
    await apply("pressed", { requestsPerSecond: 1500, podTemplate: { resources } });
    const pressed = await eventually(
      () => statusOf("pressed"),
      (status) => condition(status, "RateAchieved")?.reason === "GeneratorSaturated",
    );
    expect(pressed.workers?.desired).toBe(1);
    expect(await eventOf("pressed", "WorkerAdded")).toBe(
      "Added 1 worker: those that run do not keep up with the rate.",
    );
    await eventually(
      () => statusOf("pressed"),
      ({ workers }) => workers?.desired === 2 && workers.ready === 2,
    );
    const [first, second] = (await podsOf("pressed")).map(({ metadata }) => Date.parse(metadata.creationTimestamp));
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(30_000);
    await kubectl(["delete", "lt", "pressed", ...inNamespace]);
  }, 300_000);
});
