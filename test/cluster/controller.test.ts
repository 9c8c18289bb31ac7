// The controller out of cluster, as a process that can be killed at any moment.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import { binary } from "../binary/process.ts";
import { installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";

const namespace = "loadtest-outside";
const workers = 6;

interface PodList {
  items: { metadata: { name: string; uid: string; annotations: Record<string, string> } }[];
}

const manifest = {
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name: "outside" },
  spec: { service: "target", scheme: "http", requestsPerSecond: 60, workers },
};

const uids = ({ items }: PodList) => items.map(({ metadata }) => metadata.uid).toSorted();
/** By the plan that the Pod carries: as it is now, after all changes. */
function rateIn({ metadata }: PodList["items"][number]): number {
  const plan = JSON.parse(metadata.annotations[planAnnotation] as string) as WorkerPlan;
  return (plan.changes?.at(-1) ?? plan).requestsPerSecond as number;
}

const podsOf = () => kubectlJson<PodList>(["get", "pods", "-n", namespace, "-l", "beta.kuar.com/loadtest=outside"]);

function startController(...more: string[]) {
  const flags = [
    "--kubeconfig",
    kubeconfig,
    "--namespace",
    namespace,
    "--health-port",
    "0",
    "--metrics-port",
    "0",
    "--poll-interval",
    "200ms",
  ];
  return Bun.spawn([binary, "controller", "--worker-image", "localhost/loadtest:dev", ...flags, ...more], {
    stderr: "pipe",
  });
}

/** Everything the controller logs until `isLast`, as objects. */
async function logUntil(
  controller: ReturnType<typeof startController>,
  isLast: (line: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of controller.stderr) {
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop() as string;
    for (const text of texts) {
      lines.push(JSON.parse(text));
      if (isLast(lines.at(-1) as Record<string, unknown>)) return lines;
    }
  }
  return lines;
}

describe.skipIf(kubeconfig === "")("a controller out of cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["create", "service", "clusterip", "target", "--tcp=80:80", "-n", namespace]);
  }, 60_000);

  afterAll(async () => {
    await kubectl(["delete", "namespace", namespace]);
    await removeExtension();
  }, 90_000);

  test("killed at every moment of making Pods, it ends with each Pod once", async () => {
    await kubectl(["apply", "-n", namespace, "-f", "-"], JSON.stringify(manifest));
    for (let round = 0; round < 12; round++) {
      const controller = startController();
      let seen = 0;
      // After its start, or after its first, second, … action; with nothing left to do, after some passes.
      const moment = logUntil(controller, () => ++seen > round % 7);
      await Promise.race([moment, Bun.sleep(1500)]);
      controller.kill("SIGKILL");
      await moment;
      await controller.exited;
      const uidsBefore = (await podsOf()).items.map(({ metadata }) => metadata.uid);
      if (round === 5) await kubectl(["delete", "pods", "-n", namespace, "--all", "--grace-period=0", "--force"]);
      else expect(uidsBefore.length).toBeLessThanOrEqual(workers);
    }
    const controller = startController();
    const pods = await eventually(podsOf, ({ items }) => items.length === workers);
    const names = pods.items.map(({ metadata }) => metadata.name.replace(/-[0-9a-f]{8}-/, "-")).toSorted();
    expect(names).toEqual(Array.from({ length: workers }, (_, index) => `outside-${index}`));
    await Bun.sleep(2000); // ten passes
    expect(uids(await podsOf())).toEqual(uids(pods));
    controller.kill("SIGTERM");
    expect(await controller.exited).toBe(0);
  }, 120_000);

  test("Pods orphaned by --cascade=orphan while no controller ran are found and ended", async () => {
    expect((await podsOf()).items).toHaveLength(workers);
    await kubectl(["delete", "lt", "outside", "-n", namespace, "--cascade=orphan"]);
    const controller = startController();
    await eventually(podsOf, ({ items }) => items.length === 0);
    controller.kill("SIGTERM");
    expect(await controller.exited).toBe(0);
  }, 90_000);

  test.each([
    ["by the watch alone", ["--poll-interval", "10m"]],
    ["by polls alone", ["--no-watch"]],
  ])(
    "creation, edit and deletion are seen %s",
    async (_, flags) => {
      const controller = startController(...flags);
      await logUntil(controller, ({ msg }) => msg === "controller started");
      await kubectl(["apply", "-n", namespace, "-f", "-"], JSON.stringify(manifest));
      const before = await eventually(podsOf, ({ items }) => items.length === workers);
      const edit = '{"spec":{"requestsPerSecond":120}}';
      await kubectl(["patch", "lt", "outside", "-n", namespace, "--type=merge", "-p", edit]);
      // The workers are told, as far as there is somebody to tell: they are not made anew.
      const after = await eventually(podsOf, ({ items }) => items.every((pod) => rateIn(pod) === 120));
      expect(uids(after)).toEqual(uids(before));
      await kubectl(["delete", "lt", "outside", "-n", namespace]);
      await eventually(podsOf, ({ items }) => items.length === 0);
      controller.kill("SIGTERM");
      expect(await controller.exited).toBe(0);
    },
    180_000,
  );

  test("it tells its health, is ready after the first pass, and logs JSON only", async () => {
    const controller = startController();
    const [started] = await logUntil(controller, ({ msg }) => msg === "controller started");
    const health = `http://127.0.0.1:${started?.["healthPort"]}`;
    const readiness = () => fetch(`${health}/readyz`).then(({ status }) => status);
    await eventually(readiness, (status) => status === 200);
    expect((await fetch(`${health}/healthz`)).status).toBe(200);
    expect((await fetch(`${health}/other`)).status).toBe(404);
    controller.kill("SIGTERM");
    expect(await controller.exited).toBe(0);
  }, 60_000);
});
