// What is left of a load on a real cluster: figures while it runs, and a LoadTestResult that outlives the Pods.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTestResultData } from "../../lib/loadtest/load-test-result.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { decodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { loadtest } from "../binary/process.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";
import { startTarget } from "./target.ts";

const namespace = "loadtest-results";
const inNamespace = ["-n", namespace];

interface Stored {
  metadata: { name: string; uid: string };
  status?: LoadTestStatus;
}

const get = (name: string) => kubectlJson<Stored>(["get", "lt", name, ...inNamespace]);
const condition = ({ status }: Stored, type: string) => status?.conditions?.find((one) => one.type === type);
const results = async () =>
  (await kubectlJson<{ items: (LoadTestResultData & Stored)[] }>(["get", "ltr", ...inNamespace])).items;

describe.skipIf(kubeconfig === "")("on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await installController();
    await startTarget(namespace);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("a load shows what it does while it runs, and leaves a result that outlives its Pods, and goes with it", async () => {
    const spec = { service: "web", scheme: "http", requestsPerSecond: 100, duration: "40s", workers: 2 };
    const manifest = { apiVersion, kind: "LoadTest", metadata: { name: "kept", namespace }, spec };
    await kubectl(["apply", "-f", "-"], JSON.stringify(manifest));

    const watched = loadtest(["status", "kept", ...inNamespace, "--kubeconfig", kubeconfig, "--watch"]);

    const shown = await eventually(
      () => get("kept"),
      (stored) => condition(stored, "RateAchieved")?.status === "True",
    );
    expect(condition(shown, "RateAchieved")?.reason).toBe("RateKept");
    expect(Number(shown.status?.display?.rps)).toBeGreaterThan(90);
    const [growing] = await eventually(results, ([result]) => (result?.series.length ?? 0) > 20);
    expect(growing?.complete).toBe(false);

    const done = await eventually(
      () => get("kept"),
      (stored) => condition(stored, "Complete")?.status === "True",
      90_000,
    );
    expect(condition(done, "RateAchieved")?.status).not.toBe("Unknown");
    const [result] = (await results()) as [LoadTestResultData & Stored];
    expect(result.complete).toBe(true);
    expect(result.results).toEqual(done.status?.results as never);
    expect(result.results).toMatchObject({ scheduled: 4000, completed: 4000 });
    for (const name of ["latency", "service", "slip"] as const) {
      expect(decodeHistogram(result.histograms[name] ?? "").total).toBe(4000);
    }
    const seconds = result.series.filter((point) => point.seconds === 1);
    expect(seconds.length).toBeGreaterThan(35);
    expect(seconds.every(({ p99Us = 0 }) => p99Us > 0)).toBe(true);
    expect(result.series.reduce((sum, { completed }) => sum + completed, 0)).toBe(4000);

    const { code, out } = await watched;
    expect(code).toBe(condition(done, "Passed")?.status === "True" ? 0 : 4); // by how busy the machine is
    expect(out).toContain(`kubectl get ltr ${result.metadata.name}`);
    expect(out.split("\n").filter((line) => line.startsWith("kept ")).length).toBeGreaterThan(5);

    await kubectl(["delete", "pods", ...inNamespace, "-l", "beta.kuar.com/loadtest=kept"]);
    expect(await results()).toEqual([result]);
    expect((await get("kept")).status).toEqual(done.status as never);
    expect(await kubectl(["explain", "loadtestresult.series.p99Us"])).toContain("99 % of the latencies");
    await kubectl(["delete", "lt", "kept", ...inNamespace]);
    await eventually(results, (items) => items.length === 0);
  }, 240_000);
});
