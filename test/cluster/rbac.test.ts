// Each right of the controller is needed, and no right is missing: it works out of cluster as its own ServiceAccount,
// once with every right, and once without each of them. What it then says it was refused is just that right.
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
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";
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

interface PodList {
  items: { metadata: { deletionTimestamp?: string }; status: { phase: string } }[];
}
const workers = () => kubectlJson<PodList>(["get", "pods", "-n", namespace, "-l", "beta.kuar.com/loadtest=whole"]);
const phase = () => kubectl(["get", "lt", "brief", "-n", namespace, "-o", "jsonpath={.status.phase}"]);
const bundle = "jsonpath={.webhooks[0].clientConfig.caBundle}";

/** What stands ready before the controller starts: no certificate, LoadTests, and a Pod that has the name of a worker. */
async function prepare(): Promise<void> {
  const empty = (name: string) =>
    kubectl(["patch", "secret", name, "-n", extensionNamespace, "--type=merge", "-p", '{"data":null}']);
  await Promise.all([empty("loadtest-webhook-tls"), empty("loadtest-webhook-ca")]);
  await apply(
    canary,
    loadTest("blocked", { service: "target" }),
    loadTest("brief", { service: "target", duration: "5s" }),
  );
  const { metadata } = await kubectlJson<LoadTest>(["get", "lt", "blocked", "-n", namespace]);
  await apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: workerPodName("blocked", runHash(metadata.uid, ""), 0, 0), namespace },
    spec: { schedulingGates: [{ name: "test/never" }], containers: [{ name: "stranger", image }] },
  });
}

/** All that the controller does, once: resolves when all has been done, rejects when `stop` is aborted. */
async function exercise(stop: AbortSignal): Promise<void> {
  const until = <T>(probe: () => Promise<T>, isSo: (value: T) => boolean) =>
    eventually(() => {
      stop.throwIfAborted();
      return probe();
    }, isSo);
  await apply(loadTest("whole", { canary: "split", workers: 2 }));
  await until(workers, ({ items }) => items.length === 2 && items.every(({ status }) => status.phase === "Running"));
  await until(phase, (word) => word === "Finished");
  await apply(loadTest("whole", { canary: "split", workers: 2, requestsPerSecond: 20 }));
  await until(
    () => kubectl(["get", "validatingwebhookconfiguration", "kuar-validator", "-o", bundle]),
    (text) => text !== "",
  );
  await kubectl(["delete", "lt", "whole", "-n", namespace, "--cascade=orphan"]);
  await until(workers, ({ items }) => items.every(({ metadata }) => metadata.deletionTimestamp !== undefined));
}

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

  /** Starts the controller with its own token; resolves `refused` once it has said that it lacks the right. */
  function start(right?: Right): { log: () => string; refused: Promise<void> } {
    const own = ["--kubeconfig", ownKubeconfig, "--worker-image", image, "--leader-elect", "--poll-interval", "1s"];
    const admission = ["--webhook-url", "https://127.0.0.1:18443", "--admission-port", "18443", "--drain", "0s"];
    const services = ["--health-port", "0", "--metrics-port", "0"];
    const controller = Bun.spawn([binary, "controller", ...own, ...admission, ...services], { stderr: "pipe" });
    let log = "";
    const refused = Promise.withResolvers<void>();
    const read = async () => {
      for await (const line of linesOf(controller.stderr)) {
        log += `${line}\n`;
        if (right !== undefined && refusedIn(line).includes(right)) refused.resolve();
      }
    };
    const reading = read();
    stop = async () => {
      controller.kill("SIGTERM");
      await reading;
    };
    return { log: () => log, refused: refused.promise };
  }

  test("with all of them it is refused nothing", async () => {
    await apply(...roles);
    await prepare();
    const { log } = start();
    await exercise(new AbortController().signal);
    await stop();
    expect(refusedIn(log())).toEqual([]);
    expect(log()).not.toContain("orbidden");
  }, 90_000);

  const rights = roles.flatMap((role) =>
    rightsOf(role).map((right): [Right, string, Role] => [right, role.kind, role]),
  );
  test.each(rights)(
    "without %s (%s) it is refused just that, and says so",
    async (right, _, role) => {
      await apply(...roles.filter((other) => other !== role), withoutRight(role, right));
      await prepare();
      const { log, refused } = start(right);
      const enough = new AbortController();
      const done = exercise(enough.signal).then(
        () => "it has done all without",
        (error: Error) => error.message,
      );
      expect(await Promise.race([refused.then(() => "refused"), done])).toBe("refused");
      enough.abort();
      await done;
      expect(new Set(refusedIn(log()))).toEqual(new Set([right]));
    },
    90_000,
  );
});
