// What users ask for, so that a controller does all that it ever does: a change in flight, orphans, a lost worker, a finished
// run that expires, a Secret that is not there.
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { runHash, workerPodName } from "../../lib/plan/names.ts";
import { documentsOf, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

export const namespace = "loadtest-rights";
export const image = "localhost/loadtest:dev";

const apply = (...objects: object[]) => kubectl(["apply", "-n", namespace, "-f", "-"], documentsOf(objects));

const loadTest = (name: string, spec: object): object => ({
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name, namespace },
  spec: { scheme: "http", port: 8080, requestsPerSecond: 10, ...spec },
});
const canary = {
  apiVersion: "beta.kuar.com/v1",
  kind: "Canary",
  metadata: { name: "split", namespace },
  spec: { backends: [{ service: "target", percent: 100 }] },
};

interface List {
  items: { metadata: { name: string; deletionTimestamp?: string }; status: { phase: string } }[];
}
const workers = (name: string) =>
  kubectlJson<List>(["get", "pods", "-n", namespace, "-l", `beta.kuar.com/loadtest=${name}`]);
const areRunning = ({ items }: List) => items.length === 2 && items.every(({ status }) => status.phase === "Running");

/** A LoadTest, and a Pod of somebody else that has the name of its worker. */
export async function blockWorker(): Promise<void> {
  await apply(canary, loadTest("blocked", { service: "target" }));
  const { metadata } = await kubectlJson<LoadTest>(["get", "lt", "blocked", "-n", namespace]);
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: workerPodName("blocked", runHash(metadata.uid, ""), 0, 0), namespace },
    spec: { schedulingGates: [{ name: "test/never" }], containers: [{ name: "stranger", image }] },
  });
}

/** Waits, until there is no point in it any more: then it rejects. */
export type Until = <T>(probe: () => Promise<T>, isSo: (value: T) => boolean) => Promise<T>;

/** A LoadTest that is changed while it runs, and then deleted without its Pods. */
export async function changeAndOrphan(until: Until): Promise<void> {
  await apply(loadTest("whole", { canary: "split", workers: 2 }));
  await until(() => workers("whole"), areRunning);
  await apply(loadTest("whole", { canary: "split", workers: 2, requestsPerSecond: 20 }));
  await until(
    () => kubectl(["get", "pods", "-n", namespace, "-l", "beta.kuar.com/loadtest=whole", "-o", "yaml"]),
    (text) => text.includes('"requestsPerSecond":20'),
  );
  await kubectl(["delete", "lt", "whole", "-n", namespace, "--cascade=orphan"]);
  await until(
    () => workers("whole"),
    ({ items }) => items.every(({ metadata }) => metadata.deletionTimestamp !== undefined),
  );
}

/** One that loses a worker with something to tell, finishes, and is deleted by its time to live. */
export async function loseAndFinish(until: Until): Promise<void> {
  await apply(loadTest("brief", { service: "target", workers: 2, duration: "8s", ttlAfterFinished: "1s" }));
  const { items } = await until(() => workers("brief"), areRunning);
  await until(
    () => kubectl(["get", "lt", "brief", "-n", namespace, "-o", "jsonpath={.status.phase}"]),
    (phase) => phase === "Running",
  );
  await kubectl(["delete", "pod", items[0]?.metadata.name ?? "", "-n", namespace]);
  await until(
    () => tryKubectl(["get", "lt", "brief", "-n", namespace]),
    ({ err }) => err.includes("NotFound"),
  );
}

/** Returns when the API server asks the webhooks. */
export async function awaitAdmission(until: Until): Promise<void> {
  const plain = JSON.stringify(loadTest("plain", { service: "target" }));
  await until(
    () => kubectl(["create", "--dry-run=server", "-o", "yaml", "-f", "-"], plain),
    (text) => text.includes("/index.html"), // by the defaulter, which is trusted after the validator
  );
}

/** One that names a Secret, which its author may get, and which is not there; resolves with what kubectl complains of. */
export async function nameMissingSecret(until: Until): Promise<string> {
  const secretKeyRef = { name: "missing", key: "token" };
  const requests = [{ path: "/", headers: [{ name: "Authorization", valueFrom: { secretKeyRef } }] }];
  const { code, err } = await tryKubectl(
    ["apply", "-f", "-"],
    JSON.stringify(loadTest("starved", { service: "target", requests })),
  );
  if (code !== 0) return err;
  const reason = 'jsonpath={.status.conditions[?(@.type=="WorkersReady")].reason}';
  await until(
    () => kubectl(["get", "lt", "starved", "-n", namespace, "-o", reason]),
    (word) => word === "VolumeNotMounted",
  );
  return "";
}
