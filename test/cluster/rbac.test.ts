// Each right of the controller is needed, and no right is missing: it works out of cluster as its own ServiceAccount,
// once with every right, and then, round by round, without some of them, until it has been without each. What it says that
// it was refused is just what was taken away.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { runHash, workerPodName } from "../../lib/plan/names.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { binary, linesOf } from "../binary/process.ts";
import { extensionNamespace, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";
import { type Right, type Role, refusedIn, rightsOf, withoutRight } from "./rights.ts";

const namespace = "loadtest-rights";
const image = "localhost/loadtest:dev";
const manifest = (name: string): KubeObject[] =>
  parseAllDocuments(readFileSync(join(import.meta.dir, `../../manifests/${name}.yaml`), "utf8")).map((document) =>
    document.toJS(),
  );
const isRole = (object: KubeObject): object is Role & KubeObject => /^(Cluster)?Role$/.test(object.kind);

const objects = manifest("controller").filter(({ kind }) => kind !== "Deployment");
const roles = objects.filter(isRole);
const apply = (...applied: object[]) =>
  kubectl(["apply", "-f", "-"], applied.map((object) => JSON.stringify(object)).join("\n---\n"));

/** The webhooks; a controller that does not run must hold up nothing here. */
function openRegistrations(): object[] {
  return [...manifest("validating-controller"), ...manifest("mutating-controller")].map((configuration) => {
    const { webhooks } = configuration as unknown as { webhooks: object[] };
    return { ...configuration, webhooks: webhooks.map((webhook) => ({ ...webhook, failurePolicy: "Ignore" })) };
  });
}

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

/** What stands ready before the controller starts: no certificate, and a Pod that has the name of a worker. */
async function prepare(): Promise<void> {
  const empty = (name: string) =>
    kubectl(["patch", "secret", name, "-n", extensionNamespace, "--type=merge", "-p", '{"data":null}']);
  await Promise.all([empty("loadtest-webhook-tls"), empty("loadtest-webhook-ca")]);
  await apply(canary, loadTest("blocked", { service: "target" }));
  const { metadata } = await kubectlJson<LoadTest>(["get", "lt", "blocked", "-n", namespace]);
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: workerPodName("blocked", runHash(metadata.uid, ""), 0, 0), namespace },
    spec: { schedulingGates: [{ name: "test/never" }], containers: [{ name: "stranger", image }] },
  });
}

type Until = <T>(probe: () => Promise<T>, isSo: (value: T) => boolean) => Promise<T>;

/** A LoadTest that is changed while it runs, and then deleted without its Pods. */
async function changeAndOrphan(until: Until): Promise<void> {
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

/** One that loses a worker, finishes, and is deleted by its time to live. */
async function loseAndFinish(until: Until): Promise<void> {
  await apply(loadTest("brief", { service: "target", workers: 2, duration: "8s", ttlAfterFinished: "1s" }));
  const { items } = await until(() => workers("brief"), areRunning);
  await kubectl(["delete", "pod", items[0]?.metadata.name ?? "", "-n", namespace]);
  await until(
    () => tryKubectl(["get", "lt", "brief", "-n", namespace]),
    ({ err }) => err.includes("NotFound"),
  );
}

/** One that names a Secret, which its author may get, and which is not there; resolves with what kubectl complains of. */
async function nameMissingSecret(until: Until): Promise<string> {
  const plain = JSON.stringify(loadTest("plain", { service: "target" }));
  await until(
    () => kubectl(["create", "--dry-run=server", "-o", "yaml", "-f", "-"], plain),
    (text) => text.includes("/index.html"), // by the defaulter, which is trusted after the validator
  );
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

/**
 * Rights to go without at the same time: none of them keeps the controller from missing the others. Who is without the
 * first, on which much depends, stands alone.
 */
const rounds: readonly (readonly Right[])[] = [
  ["get leases.coordination.k8s.io"],
  ["update leases.coordination.k8s.io"],
  [
    "list loadtests.beta.kuar.com",
    "list canaries.beta.kuar.com",
    "get secrets",
    "list secrets",
    "list validatingwebhookconfigurations.admissionregistration.k8s.io",
    "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
  ],
  [
    "list pods",
    "watch canaries.beta.kuar.com",
    "watch secrets",
    "get validatingwebhookconfigurations.admissionregistration.k8s.io",
    "watch validatingwebhookconfigurations.admissionregistration.k8s.io",
    "watch mutatingwebhookconfigurations.admissionregistration.k8s.io",
  ],
  [
    "watch loadtests.beta.kuar.com",
    "watch pods",
    "get loadtests.beta.kuar.com",
    "get mutatingwebhookconfigurations.admissionregistration.k8s.io",
  ],
  [
    "patch loadtests.beta.kuar.com/status",
    "patch services/status",
    "patch validatingwebhookconfigurations.admissionregistration.k8s.io",
  ],
  ["create pods", "patch mutatingwebhookconfigurations.admissionregistration.k8s.io"],
  ["get services", "get canaries.beta.kuar.com", "update secrets"],
  ["get loadtestresults.beta.kuar.com"],
  [
    "get pods",
    "patch pods",
    "get pods/log",
    "list events",
    "create events.events.k8s.io",
    "create services",
    "create loadtestresults.beta.kuar.com",
    "delete loadtests.beta.kuar.com",
  ],
  [
    "delete pods",
    "delete services",
    "update loadtestresults.beta.kuar.com",
    "create subjectaccessreviews.authorization.k8s.io",
  ],
];

describe.skipIf(kubeconfig === "")("the controller's rights", () => {
  const folder = mkdtempSync(join(tmpdir(), "rights-"));
  const ownKubeconfig = join(folder, "kubeconfig");
  let stop = async () => {};

  beforeAll(async () => {
    await installKinds();
    await apply(...objects, ...openRegistrations());
    await kubectl(["create", "namespace", namespace]);
    const run = ["run", "target", "-n", namespace, `--image=${image}`, "--port=8080", "--expose"];
    await kubectl([...run, "--", "target", "--host", "0.0.0.0"]);
    const token = (await kubectl(["create", "token", "loadtest", "-n", extensionNamespace])).trim();
    const { clusters, contexts, "current-context": current } = parse(readFileSync(kubeconfig, "utf8"));
    const users = [{ name: contexts[0].context.user, user: { token } }];
    writeFileSync(ownKubeconfig, JSON.stringify({ clusters, contexts, "current-context": current, users }));
  }, 60_000);

  afterEach(async () => {
    await stop();
    const all = ["delete", "lt,canaries,pods", "-l", "run!=target", "-n", namespace];
    await kubectl([...all, "--grace-period=0", "--force"]);
  }, 60_000);

  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await kubectl(["delete", "namespace", namespace]);
    await removeExtension();
  }, 90_000);

  /** Starts the controller with its own token. */
  function start(): { log: () => string } {
    const own = ["--kubeconfig", ownKubeconfig, "--worker-image", image, "--leader-elect", "--poll-interval", "1s"];
    const admission = ["--webhook-url", "https://127.0.0.1:18443", "--admission-port", "18443", "--drain", "0s"];
    const services = ["--health-port", "0", "--metrics-port", "0", "--log-level", "debug"];
    const controller = Bun.spawn([binary, "controller", ...own, ...admission, ...services], { stderr: "pipe" });
    let log = "";
    const read = async () => {
      for await (const line of linesOf(controller.stderr)) log += `${line}\n`;
    };
    const reading = read();
    stop = async () => {
      controller.kill("SIGTERM");
      await reading;
    };
    return { log: () => log };
  }

  /** Has it do all that it does, until `isEnough`; resolves with the rights that it was refused. */
  async function exercise(isEnough: (refused: readonly Right[]) => boolean): Promise<Right[]> {
    await prepare();
    const { log } = start();
    let complaints = "";
    const refused = () => [...new Set(refusedIn(log() + complaints))];
    const enough = new AbortController();
    const until: Until = (probe, isSo) =>
      eventually(() => {
        enough.signal.throwIfAborted();
        return probe();
      }, isSo);
    const flows = [
      changeAndOrphan(until),
      loseAndFinish(until),
      nameMissingSecret(until).then((words) => {
        complaints += words;
      }),
    ];
    const done = Promise.all(flows);
    await Promise.race([done, eventually(async () => refused(), isEnough)]);
    enough.abort(new Error("enough"));
    await Promise.allSettled(flows);
    await stop();
    return refused();
  }

  test("with all of them it is refused nothing", async () => {
    await apply(...roles);
    expect(await exercise(() => false)).toEqual([]);
  }, 120_000);

  test("each of them is taken away in one of the rounds", () => {
    const granted = roles.flatMap(rightsOf);
    expect(rounds.flat().toSorted()).toEqual([...new Set(granted)].toSorted());
  });

  test.each(rounds.map((round) => [round.join(", "), round] as const))(
    "without %s it is refused just that, and says so",
    async (_, round) => {
      await apply(...roles.map((role) => round.reduce(withoutRight, role)));
      const refused = await exercise((seen) => round.every((right) => seen.includes(right)));
      expect(refused).toEqual(round.toSorted());
    },
    120_000,
  );
});
