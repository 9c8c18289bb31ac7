// What becomes of a load while parts of the cluster are away. Its workers need nobody to go on, so the server is asked
// for just what the spec says, and once all are back so are the states, without anybody's help.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { accessLog, afterPreflight, startNginx } from "./access-log.ts";
import { Components, isOwnCluster } from "./components.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

const namespace = "loadtest-outage";
const inNamespace = ["-n", namespace];

const apply = (name: string, spec: object) =>
  kubectl(
    ["apply", ...inNamespace, "-f", "-"],
    JSON.stringify({
      apiVersion,
      kind: "LoadTest",
      metadata: { name },
      spec: { service: "my-service", scheme: "http", workers: 2, paths: [`/index.html?${name}`], ...spec },
    }),
  );
const edit = (name: string, spec: object) =>
  kubectl(["patch", "lt", name, ...inNamespace, "--type=merge", "-p", JSON.stringify({ spec })]);
const statusOf = async (name: string) =>
  (await kubectlJson<{ status?: LoadTestStatus }>(["get", "lt", name, ...inNamespace])).status ?? {};
const isComplete = ({ conditions = [] }: LoadTestStatus) =>
  conditions.some(({ type, status }) => type === "Complete" && status === "True");
const podUids = async (name: string) =>
  (await kubectlJson<{ items: Pod[] }>(["get", "pods", ...inNamespace, "-l", `beta.kuar.com/loadtest=${name}`])).items
    .map(({ metadata }) => metadata.uid as string)
    .toSorted();
const requestsOf = async (name: string) =>
  afterPreflight((await accessLog(namespace)).filter(({ path }) => path.endsWith(`?${name}`)));
const serves = (name: string, requests: number) =>
  eventually(
    () => requestsOf(name),
    ({ length }) => length >= requests,
  );
const completes = (name: string) => eventually(() => statusOf(name), isComplete, 120_000);

const apiIsReady = () =>
  eventually(
    () => tryKubectl(["get", "--raw", "/readyz"]),
    ({ code }) => code === 0,
  );

/** The cluster as it was: every process runs, and the node says that it is ready. */
async function heal(components: Components): Promise<void> {
  await components.revive();
  await apiIsReady();
  await kubectl(["wait", "--for=condition=Ready", "node", "--all", "--timeout=90s"]);
}

describe.skipIf(!isOwnCluster)("on a real cluster of our own", () => {
  let components: Components;

  beforeAll(async () => {
    components = new Components();
    await installKinds();
    await Promise.all([installController(), startNginx(namespace)]);
  }, 180_000);

  afterEach(() => heal(components), 120_000);

  afterAll(async () => {
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found"]);
    await removeExtension();
  }, 120_000);

  test("the API server is killed and comes back: the load goes on, and an edit is followed afterwards", async () => {
    await apply("restarted", { requestsPerSecond: 100, duration: "25s" });
    await serves("restarted", 200);
    const pods = await podUids("restarted");
    components.signal("kube-apiserver", "SIGKILL");
    await components.revive();
    await apiIsReady();
    await edit("restarted", { requestsPerSecond: 200 });
    const { phase, results } = await completes("restarted");
    expect(phase).toBe("Finished");
    expect(await podUids("restarted")).toEqual(pods);
    const count = (await requestsOf("restarted")).length;
    expect(count).toBeGreaterThan(2600);
    expect(results).toMatchObject({ scheduled: count, completed: count, lost: 0 });
  }, 180_000);

  test("etcd is frozen for 20 s, in which the load ends: its verdict comes afterwards, and is whole", async () => {
    await apply("frozen", { requestsPerSecond: 100, duration: "12s" });
    await serves("frozen", 200);
    components.signal("etcd", "SIGSTOP");
    await Bun.sleep(20_000);
    components.signal("etcd", "SIGCONT");
    await heal(components); // controller manager and scheduler end themselves when they cannot renew their Leases
    const { phase, results } = await completes("frozen");
    expect(phase).toBe("Finished");
    expect(results).toMatchObject({ scheduled: 1200, completed: 1200, lost: 0 });
    expect(await requestsOf("frozen")).toHaveLength(1200);
  }, 180_000);

  test("the kubelet is frozen for 30 s: nothing is claimed that nobody knows, and no load is more than was asked for", async () => {
    await apply("ended", { requestsPerSecond: 50, duration: "15s" });
    await apply("edited", { requestsPerSecond: 50, duration: "60s" });
    for (const name of ["ended", "edited"]) await serves(name, 100);
    const pods = await podUids("edited");
    components.signal("kubelet", "SIGSTOP");
    const frozenAt = Date.now() / 1000;
    await edit("edited", { requestsPerSecond: 100 });
    await Bun.sleep(30_000);
    expect(isComplete(await statusOf("ended"))).toBe(false); // it has ended, as only the kubelet could tell
    components.signal("kubelet", "SIGCONT");
    const thawedAt = Date.now() / 1000;

    expect((await completes("ended")).results).toMatchObject({ scheduled: 750, completed: 750, lost: 0 });
    const { results } = await completes("edited");
    expect(await podUids("edited")).toEqual(pods);
    const log = await requestsOf("edited");
    const perSecond = (from: number, to: number) =>
      log.filter(({ atSeconds }) => atSeconds >= from && atSeconds < to).length / (to - from);
    expect(Math.abs(perSecond(frozenAt, thawedAt) - 50)).toBeLessThan(2);
    expect(Math.abs(perSecond(thawedAt + 5, thawedAt + 15) - 100)).toBeLessThan(5);
    expect(results).toMatchObject({ completed: log.length, failed: {} });
  }, 240_000);
});
