// What becomes of a load while parts of the cluster are away. Its workers need nobody to go on, so the server is asked
// for just what the spec says, and once all are back so are the states, without anybody's help.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestResults } from "../../lib/loadtest/load-test-results.ts";
import type { LoadTestStatus, Phase } from "../../lib/loadtest/load-test-status.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { type Access, accessLog, startNginx } from "./access-log.ts";
import { expectAccounted, preflightsOf } from "./accounted.ts";
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
      spec: {
        service: "my-service",
        scheme: "http",
        workers: 2,
        connections: 8,
        paths: [`/index.html?${name}`],
        ...spec,
      },
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
const requestsOf = async (name: string) => (await accessLog(namespace)).filter(({ path }) => path.endsWith(`?${name}`));
const serves = (name: string, requests: number) =>
  eventually(
    () => requestsOf(name),
    ({ length }) => length >= requests,
  );

/** What the object and the server say of a load that has ended: the same. */
async function outcomeOf(name: string): Promise<{ phase: Phase | undefined; scheduled: number; log: Access[] }> {
  const status = await eventually(() => statusOf(name), isComplete, 120_000);
  const log = (await requestsOf(name)).slice(preflightsOf(status));
  const results = status.results as LoadTestResults;
  expectAccounted(results, log);
  return { phase: status.phase, scheduled: results.scheduled, log };
}

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

  afterAll(() => removeExtension(namespace), 120_000);

  test("the API server is killed and comes back: the load goes on, and an edit is followed afterwards", async () => {
    await apply("restarted", { requestsPerSecond: 100, duration: "25s" });
    await serves("restarted", 200);
    const pods = await podUids("restarted");
    components.signal("kube-apiserver", "SIGKILL");
    await components.revive();
    await apiIsReady();
    await edit("restarted", { requestsPerSecond: 200 });
    const { phase, scheduled } = await outcomeOf("restarted");
    expect(phase).toBe("Finished");
    expect(await podUids("restarted")).toEqual(pods);
    expect(scheduled).toBeGreaterThan(2600);
  }, 180_000);

  test("etcd is frozen for 20 s, in which the load ends: its verdict comes afterwards, and is whole", async () => {
    await apply("frozen", { requestsPerSecond: 100, duration: "12s" });
    await serves("frozen", 200);
    components.signal("etcd", "SIGSTOP");
    await Bun.sleep(20_000);
    components.signal("etcd", "SIGCONT");
    await heal(components); // controller manager and scheduler end themselves when they cannot renew their Leases
    expect(await outcomeOf("frozen")).toMatchObject({ phase: "Finished", scheduled: 1200 });
  }, 180_000);

  test("the kubelet is frozen for 30 s: nothing is claimed that nobody knows, and no load is more than was asked for", async () => {
    await apply("ended", { requestsPerSecond: 50, duration: "15s" });
    await apply("edited", { requestsPerSecond: 50, duration: "60s" });
    for (const name of ["ended", "edited"]) await serves(name, 100);
    const pods = await podUids("edited");
    components.signal("kubelet", "SIGSTOP");
    const frozenAt = Date.now() / 1000;
    await edit("edited", { requestsPerSecond: 100 });
    await eventually(
      () => kubectl(["get", "pods", ...inNamespace, "-l", "beta.kuar.com/loadtest=edited", "-o", "jsonpath={.items}"]),
      (text) => text.split('\\"requestsPerSecond\\":100').length === 3,
    );
    console.log(`both plans were changed ${(Date.now() / 1000 - frozenAt).toFixed(1)} s after the kubelet was frozen`);
    await Bun.sleep(30_000);
    expect(isComplete(await statusOf("ended"))).toBe(false); // it has ended, as only the kubelet could tell
    components.signal("kubelet", "SIGCONT");
    const thawedAt = Date.now() / 1000;

    expect(await outcomeOf("ended")).toMatchObject({ phase: "Finished", scheduled: 750 });
    const { log } = await outcomeOf("edited");
    expect(await podUids("edited")).toEqual(pods);
    const perSecond = (from: number, to: number) =>
      log.filter(({ atSeconds }) => atSeconds >= from && atSeconds < to).length / (to - from);
    expect(perSecond(frozenAt + 1, thawedAt)).toBeLessThan(50 * 1.05);
    expect(perSecond(thawedAt + 10, thawedAt + 15)).toBeGreaterThan(50 * 1.5); // the edit is followed
  }, 240_000);
});
