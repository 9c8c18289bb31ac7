// The life of loads on a real cluster as the server sees it: changed, paused, stopped, resized and run again while they
// go on, with nginx counting. Several loads run at once, told apart by their paths.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { loadtests } from "../../lib/kube/resource.ts";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestResultData } from "../../lib/loadtest/load-test-result.ts";
import type { LoadTestResults } from "../../lib/loadtest/load-test-results.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { binary } from "../binary/process.ts";
import { type Access, accessLog, FollowedLog, startNginx } from "./access-log.ts";
import { expectAccounted, preflightsOf } from "./accounted.ts";
import { installController, installKinds, removeExtension, scale } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";
import { workerProcess } from "./worker-process.ts";

const namespace = "loadtest-lifecycle";
const doomed = "loadtest-lifecycle-doomed";
const inNamespace = ["-n", namespace];
const basics = { service: "my-service", scheme: "http", connections: 8 };

interface Stored {
  metadata: { name: string };
  status?: LoadTestStatus;
}
type StoredPod = Pod & { metadata: { uid: string } };

/** A load of requests that the access log shows by the load's name. */
const apply = (name: string, spec: object, where = namespace) =>
  kubectl(
    ["apply", "-n", where, "-f", "-"],
    JSON.stringify({
      apiVersion,
      kind: "LoadTest",
      metadata: { name },
      spec: { ...basics, paths: [`/index.html?${name}`], ...spec },
    }),
  );
const patch = (kind: string, name: string, spec: object) =>
  kubectl(["patch", kind, name, ...inNamespace, "--type=merge", "-p", JSON.stringify({ spec })]);
const edit = (name: string, spec: object) => patch("lt", name, spec);

/** Asked often, and by many: a process for each question would take the CPU that the loads need. */
const client = loadConnection({ kubeconfig }).then((connection) => new HttpKubeClient(connection));
const statusOf = async (name: string): Promise<LoadTestStatus> =>
  (await (await client).get(loadtests, { namespace, name })).status ?? {};
const condition = ({ conditions = [] }: LoadTestStatus, type: string): Condition | undefined =>
  conditions.find((one) => one.type === type);
const podsOf = async (name: string) =>
  (await kubectlJson<{ items: StoredPod[] }>(["get", "pods", ...inNamespace, "-l", `beta.kuar.com/loadtest=${name}`]))
    .items;
const uids = (pods: readonly StoredPod[]) => pods.map(({ metadata }) => metadata.uid).toSorted();
const resultsOf = async (name: string) =>
  (await kubectlJson<{ items: (LoadTestResultData & Stored)[] }>(["get", "ltr", ...inNamespace])).items.filter(
    ({ metadata }) => metadata.name.startsWith(`${name}-`),
  );
const requestsOf = async (name: string) => (await accessLog(namespace)).filter(({ path }) => path.endsWith(`?${name}`));

/** Waits until the load is so. */
const becomes = (name: string, isSo: (status: LoadTestStatus) => boolean, deadlineMs = 90_000) =>
  eventually(() => statusOf(name), isSo, deadlineMs);
const isComplete = (status: LoadTestStatus) => condition(status, "Complete")?.status === "True";

let followed: FollowedLog;
const seenOf = async (name: string) => followed.entries.filter(({ path }) => path.endsWith(`?${name}`));
/** Waits until the server has answered so many requests of the load. */
const serves = (name: string, requests: number) =>
  eventually(
    () => seenOf(name),
    ({ length }) => length >= requests,
  );

/** The results of a load that has ended, and what the server says of it. */
async function outcomeOf(name: string): Promise<{ status: LoadTestStatus; results: LoadTestResults; log: Access[] }> {
  const status = await becomes(name, isComplete);
  const log = (await requestsOf(name)).slice(preflightsOf(status));
  return { status, results: status.results as LoadTestResults, log };
}

/** Waits a while in which the server must not be asked. */
async function staysSilent(name: string): Promise<void> {
  await Bun.sleep(2000); // a change lies a second ahead, and something may be in flight
  const before = (await requestsOf(name)).length;
  await Bun.sleep(3000);
  expect((await requestsOf(name)).length).toBe(before);
}

/** Most requests that the server was asked within so many seconds, whenever those began. */
function most(log: readonly Access[], seconds: number): number {
  let from = 0;
  return log.reduce((found, { atSeconds }, at) => {
    while ((log[from] as Access).atSeconds <= atSeconds - seconds) from++;
    return Math.max(found, at - from + 1);
  }, 0);
}

/** When the first whole second began that has this rate, within two hundredths. */
function rateBegan(log: readonly Access[], perSecond: number): number {
  const instants = log.map(({ atSeconds }) => atSeconds);
  const isReached = (from: number) => instants.filter((at) => at >= from && at < from + 1).length >= perSecond * 0.98;
  return instants.find(isReached) ?? Number.NaN;
}

describe.skipIf(kubeconfig === "")("on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await Promise.all([installController(), startNginx(namespace)]);
    await kubectl(["create", "service", "clusterip", "next", "--tcp=80:8080", ...inNamespace]);
    await kubectl(["set", "selector", "service", "next", "app=my-service", ...inNamespace]);
    followed = new FollowedLog(namespace);
  }, 180_000);

  afterAll(async () => {
    await followed.stop();
    await removeExtension(namespace, doomed);
  }, 120_000);

  test.concurrent("a change of rate is followed on the same connections, and no request is lost", async () => {
    await apply("faster", { requestsPerSecond: 100, duration: "15s", workers: 2 });
    await serves("faster", 300);
    const pods = uids(await podsOf("faster"));
    const patchedAtMs = Date.now();
    await edit("faster", { requestsPerSecond: 200 });
    const { results, log } = await outcomeOf("faster");
    const beganAt = rateBegan(log, 200);
    console.log(`the new rate reached the server ${(beganAt - patchedAtMs / 1000).toFixed(3)} s after the patch`);
    expect(uids(await podsOf("faster"))).toEqual(pods);
    expect(log.length).toBeGreaterThan(1600);
    expectAccounted(results, log);
    const connections = (isAfter: boolean) =>
      [
        ...new Set(log.filter(({ atSeconds }) => atSeconds >= beganAt === isAfter).map((one) => one.connection)),
      ].toSorted();
    expect(connections(false)).toHaveLength(16);
    expect(connections(true)).toEqual(connections(false));
  }, 150_000);

  test.concurrent("sent out of the cluster in mid-run it is refused, and goes on where it was", async () => {
    const target = "elsewhere.example.com";
    await kubectl(["create", "service", "externalname", "outside", "--external-name", target, ...inNamespace]);
    await apply("guarded", { requestsPerSecond: 50, workers: 2 });
    await serves("guarded", 50);
    const before = uids(await podsOf("guarded"));
    const plans = async () => (await podsOf("guarded")).map(({ metadata }) => metadata.annotations?.[planAnnotation]);
    await edit("guarded", { service: "outside", requestsPerSecond: 20 });
    const refused = await becomes("guarded", (status) => condition(status, "Accepted")?.status === "False");
    expect(condition(refused, "Accepted")?.reason).toBe("TargetNotAllowed");
    await serves("guarded", (await requestsOf("guarded")).length + 100);
    expect((await plans()).filter((plan) => plan?.includes("outside."))).toEqual([]);
    await edit("guarded", { service: "next" });
    await becomes("guarded", (status) => condition(status, "Accepted")?.status === "True");
    await eventually(plans, (texts) => texts.length === 2 && texts.every((plan) => plan?.includes("next.")));
    expect(uids(await podsOf("guarded"))).toEqual(before);
    await edit("guarded", { state: "Stopped" });
    const { results, log } = await outcomeOf("guarded");
    expectAccounted(results, log);
  }, 150_000);

  test.concurrent("while it is paused nothing is sent; then it goes on, and sends all that its duration asks for", async () => {
    await apply("paused", { requestsPerSecond: 100, duration: "8s", workers: 2 });
    await serves("paused", 200);
    await edit("paused", { state: "Paused" });
    await becomes("paused", ({ phase }) => phase === "Paused");
    await staysSilent("paused");
    const before = (await requestsOf("paused")).length;
    expect(before).toBeLessThan(800);
    await edit("paused", { state: "Running" });
    const { results, log } = await outcomeOf("paused");
    expect(results.scheduled).toBe(800);
    expectAccounted(results, log);
  }, 150_000);

  test.concurrent("when it is stopped it ends with its results, and nothing is sent afterwards", async () => {
    await apply("stopped", { requestsPerSecond: 100, workers: 2 });
    await serves("stopped", 300);
    await edit("stopped", { state: "Stopped" });
    const { status, results, log } = await outcomeOf("stopped");
    expect(condition(status, "Complete")?.reason).toBe("Stopped");
    expectAccounted(results, log);
    await staysSilent("stopped");
    expect((await outcomeOf("stopped")).log).toHaveLength(log.length);
  }, 150_000);

  test.concurrent("workers come and go, and together never send more than is asked for", async () => {
    await apply("resized", { requestsPerSecond: 200, duration: "30s", workers: 2 });
    await serves("resized", 400);
    const first = uids(await podsOf("resized"));
    const hasWorkers = (count: number) => (status: LoadTestStatus) =>
      status.workers?.desired === count && status.workers.ready === count;
    await edit("resized", { workers: 4 });
    await becomes("resized", hasWorkers(4));
    expect(uids(await podsOf("resized"))).toEqual(expect.arrayContaining(first));
    await eventually(
      () => seenOf("resized"),
      (log) => new Set(log.map(({ address }) => address)).size === 4,
    );
    await edit("resized", { workers: 1 });
    await becomes("resized", hasWorkers(1));
    const { results, log } = await outcomeOf("resized");
    expect(results.scheduled).toBe(6000);
    expectAccounted(results, log);
    // What is answered within three seconds was due within those and the longest time that an answer took.
    const longestSeconds = results.latencyUs.max / 1e6;
    expect(most(log, 3)).toBeLessThanOrEqual((3 + longestSeconds) * 200 + 4);
  }, 150_000);

  test("of a namespace that is deleted nothing is left, and its load ends", async () => {
    await kubectl(["create", "namespace", doomed]);
    // The same nginx, by a Service without selector.
    const [address] = (
      await kubectl(["get", "pods", ...inNamespace, "-l", "app=my-service", "-o", "jsonpath={.items[*].status.podIP}"])
    ).split(" ");
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "my-service" },
      spec: { ports: [{ port: 80, targetPort: 8080 }] },
    };
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "my-service", labels: { "kubernetes.io/service-name": "my-service" } },
      addressType: "IPv4",
      ports: [{ port: 8080 }],
      endpoints: [{ addresses: [address] }],
    };
    for (const object of [service, slice]) await kubectl(["apply", "-n", doomed, "-f", "-"], JSON.stringify(object));
    await apply("doomed", { requestsPerSecond: 50, workers: 2 }, doomed);
    await serves("doomed", 100);
    await kubectl(["delete", "namespace", doomed, "--timeout=60s"]);
    await staysSilent("doomed");
    const left = await kubectl([
      "get",
      "lt,ltr,pods,services",
      "-A",
      "-l",
      "beta.kuar.com/loadtest=doomed",
      "-o",
      "name",
    ]);
    expect(left).toBe("");
  }, 150_000);

  test.concurrent("with another runID it runs again, with Pods and results of its own beside the former ones", async () => {
    await apply("again", { requestsPerSecond: 50, duration: "2s" });
    const first = await outcomeOf("again");
    expectAccounted(first.results, first.log);
    const former = await podsOf("again");
    await edit("again", { runID: "second" });
    const status = await becomes("again", (now) => now.runID === "second" && isComplete(now));
    const second = (await requestsOf("again")).slice(
      first.log.length + preflightsOf(first.status) + preflightsOf(status),
    );
    expectAccounted(status.results as LoadTestResults, second);
    const pods = uids(await podsOf("again"));
    expect(pods).toHaveLength(1);
    expect(uids(former)).not.toEqual(pods);
    const results = await resultsOf("again");
    expect(results.map(({ run }) => run.id).toSorted()).toEqual(["second", undefined]);
    expect(results.map(({ complete, results: kept }) => [complete, kept?.scheduled])).toEqual([
      [true, 100],
      [true, 100],
    ]);
  }, 150_000);

  test.concurrent("it is deleted when its time to live is over, and given up when it has not begun by its deadline", async () => {
    await apply("fleeting", { requestsPerSecond: 10, duration: "1s", ttlAfterFinished: "5s" });
    const schedulingGates = [{ name: "example.com/wait" }];
    await apply("late", { requestsPerSecond: 10, startDeadline: "4s", podTemplate: { schedulingGates } });
    const fleeting = await outcomeOf("fleeting");
    expect(fleeting.results.scheduled).toBe(10);
    expectAccounted(fleeting.results, fleeting.log);
    const late = await becomes("late", isComplete);
    expect(late.phase).toBe("Failed");
    expect(condition(late, "Complete")?.reason).toBe("StartDeadlineExceeded");
    expect(await requestsOf("late")).toEqual([]);
    await eventually(
      () => podsOf("late"),
      ({ length }) => length === 0,
    );
    await eventually(
      () => tryKubectl(["get", "lt", "fleeting", ...inNamespace]),
      ({ err }) => err.includes("NotFound"),
    );
    await eventually(
      () => podsOf("fleeting"),
      ({ length }) => length === 0,
    );
  }, 150_000);

  test.concurrent("with abortOnFailure it ends as soon as it cannot pass any more", async () => {
    const thresholds = { errorRate: "10%", abortOnFailure: true };
    const started = Date.now();
    const paths = ["/index.html?hopeless", "/missing?hopeless"]; // with none that works, it would not begin
    await apply("hopeless", { requestsPerSecond: 100, duration: "10m", paths, thresholds });
    const { status, results, log } = await outcomeOf("hopeless");
    console.log(`ended ${((Date.now() - started) / 1000).toFixed(1)} s after it was applied`);
    expect(condition(status, "Complete")?.reason).toBe("Aborted");
    // Whether the generator kept up is this machine's affair; the verdict has to say so.
    expect(condition(status, "Passed")?.status).toBe(results.valid ? "False" : "Unknown");
    expect(results.statusCodes["404"]).toBe(log.filter((access) => access.status === "404").length);
    expectAccounted(results, log);
  }, 150_000);

  test.concurrent("an edit of its Canary changes the split of every hundred requests, in the same Pods", async () => {
    const shares = (percent: number) => ({
      backends: [
        { service: "my-service", percent },
        { service: "next", percent: 100 - percent },
      ],
    });
    const canary = { apiVersion, kind: "Canary", metadata: { name: "split" }, spec: shares(90) };
    await kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(canary));
    const spec = { service: undefined, canary: "split", requestsPerSecond: 200, workers: 2 };
    await apply("split", { ...spec, duration: "20s" });
    await serves("split", 1000);
    const pods = uids(await podsOf("split"));
    const patchedAt = Date.now() / 1000;
    await patch("canary", "split", shares(50));
    const { results, log } = await outcomeOf("split");
    expect(uids(await podsOf("split"))).toEqual(pods);
    expect(results.scheduled).toBe(4000);
    expectAccounted(results, log);
    const isNext = ({ host }: Access) => host === `next.${namespace}.svc`;
    const backends = new Map(results.backends?.map(({ backend, completed }) => [backend, completed]));
    expect(backends.get(`next.${namespace}.svc`)).toBe(log.filter(isNext).length);
    expect(backends.get(`my-service.${namespace}.svc`)).toBe(log.filter((access) => !isNext(access)).length);

    const shareOf = (part: readonly Access[]) => part.filter(isNext).length / part.length;
    const workers = [...Map.groupBy(log, ({ address }) => address).values()];
    expect(workers).toHaveLength(2);
    const followedAt = workers.map((own) => {
      const before = own.filter(({ atSeconds }) => atSeconds < patchedAt);
      // Answers of two backends may change places by one.
      expect(Math.abs(shareOf(before.slice(0, 100 * Math.floor(before.length / 100))) - 0.1)).toBeLessThanOrEqual(
        0.003,
      );
      expect(Math.abs(shareOf(own.slice(-600)) - 0.5)).toBeLessThanOrEqual(0.003);
      const from = own.findIndex((_, at) => Math.abs(shareOf(own.slice(at, at + 100)) - 0.5) <= 0.01);
      return (own[from] as Access).atSeconds - patchedAt;
    });
    console.log(`the Canary's edit was followed after ${followedAt.map((after) => after.toFixed(3)).join(" and ")} s`);
  }, 150_000);

  test("whoever is killed, the server counts what was sent, or what was sent and lost", async () => {
    await scale(0);
    const start = () => {
      const flags = ["--kubeconfig", kubeconfig, "--namespace", namespace, "--health-port", "0", "--metrics-port", "0"];
      return Bun.spawn([binary, "controller", "--worker-image", "localhost/loadtest:dev", ...flags], {
        stderr: "ignore",
      });
    };
    let controller = start();
    await apply("unlucky", { requestsPerSecond: 150, duration: "20s", workers: 3 });
    await serves("unlucky", 150);
    const pods = await podsOf("unlucky");
    for (let round = 0; round < 5; round++) {
      controller.kill("SIGKILL");
      await controller.exited;
      if (round === 2) process.kill(await workerProcess(pods[0] as StoredPod), "SIGKILL");
      await Bun.sleep(500); // nobody looks after the load
      controller = start();
      await Bun.sleep(1500);
    }
    const { results, log } = await outcomeOf("unlucky");
    controller.kill("SIGTERM");
    await controller.exited;
    expect(uids(await podsOf("unlucky"))).toEqual(uids(pods));
    const { scheduled, sent, lost } = results;
    console.log(`the server counts ${log.length}, of ${scheduled} were sent ${sent} and lost ${lost}`);
    expect(scheduled).toBe(3000);
    expect(lost).toBeGreaterThan(0);
    expectAccounted(results, log);
  }, 150_000);
});
