// Each right of the controller is needed, and no right is missing: it works out of cluster as its own ServiceAccount,
// once with every right, and then, round by round, without some of them, until it has been without each. What it says that
// it was refused is just what was taken away.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { binary, linesOf } from "../binary/process.ts";
import {
  awaitAdmission,
  blockWorker,
  changeAndOrphan,
  image,
  loseAndFinish,
  nameMissingSecret,
  namespace,
  type Until,
} from "./errands.ts";
import { extensionNamespace, installKinds, objectsIn, removeExtension } from "./extension.ts";
import { documentsOf, eventually, kubeconfig, kubectl } from "./kubectl.ts";
import { type Right, type Role, refusedIn, rightsOf, withoutRight } from "./rights.ts";

const isRole = (object: KubeObject): object is Role & KubeObject => /^(Cluster)?Role$/.test(object.kind);

interface Controller {
  who: string;
  manifest: string;
  /** Of its account. */
  home: string;
  args: string[];
  hasAdmission: boolean;
}
const controllers: readonly Controller[] = [
  {
    who: "the controller",
    manifest: "controller",
    home: extensionNamespace,
    args: ["--webhook-url", "https://127.0.0.1:18443", "--admission-port", "18443", "--drain", "0s"],
    hasAdmission: true,
  },
  {
    who: "the controller of one namespace",
    manifest: "controller-namespaced",
    home: namespace,
    args: ["--namespace", namespace],
    hasAdmission: false,
  },
];

/** The webhooks; a controller that does not run must hold up nothing here. */
function openRegistrations(): object[] {
  return [...objectsIn("validating-controller"), ...objectsIn("mutating-controller")].map((configuration) => {
    const { webhooks } = configuration as unknown as { webhooks: object[] };
    return { ...configuration, webhooks: webhooks.map((webhook) => ({ ...webhook, failurePolicy: "Ignore" })) };
  });
}

/** Rights to go without at the same time: to lack one of them does not keep the controller from missing the others. */
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
  ["get pods", "patch pods"],
  [
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

/** As if there had never been a certificate. */
async function emptySecrets(): Promise<void> {
  for (const name of ["loadtest-webhook-tls", "loadtest-webhook-ca"]) {
    await kubectl(["patch", "secret", name, "-n", extensionNamespace, "--type=merge", "-p", '{"data":null}']);
  }
}

describe.skipIf(kubeconfig === "").each(controllers)(
  "the rights of $who",
  ({ manifest: name, home, args, hasAdmission }) => {
    const objects = objectsIn(name).filter(({ kind }) => kind !== "Deployment");
    const roles = objects.filter(isRole);
    const granted = [...new Set(roles.flatMap(rightsOf))];
    const folder = mkdtempSync(join(tmpdir(), "rights-"));
    const ownKubeconfig = join(folder, "kubeconfig");
    let stop = async () => {};

    beforeAll(async () => {
      await installKinds();
      await kubectl(["create", "namespace", namespace]);
      await applyAll(...objects, ...(hasAdmission ? openRegistrations() : []));
      const run = ["run", "target", "-n", namespace, `--image=${image}`, "--port=8080", "--expose"];
      await kubectl([...run, "--", "target", "--host", "0.0.0.0"]);
      const token = (await kubectl(["create", "token", "loadtest", "-n", home])).trim();
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

    /** Objects that say no namespace are of the controller's own. */
    function applyAll(...applied: object[]): Promise<string> {
      return kubectl(["apply", ...(hasAdmission ? [] : ["-n", home]), "-f", "-"], documentsOf(applied));
    }

    /** Starts the controller with its own token; what it logs is to be had from the function returned. */
    function start(): () => string {
      const own = ["--kubeconfig", ownKubeconfig, "--worker-image", image, "--leader-elect", "--poll-interval", "1s"];
      const services = ["--health-port", "0", "--metrics-port", "0", "--log-level", "debug"];
      const controller = Bun.spawn([binary, "controller", ...own, ...args, ...services], { stderr: "pipe" });
      let log = "";
      const read = async () => {
        for await (const line of linesOf(controller.stderr)) log += `${line}\n`;
      };
      const reading = read();
      stop = async () => {
        controller.kill("SIGTERM");
        await reading;
      };
      return () => log;
    }

    /** Has it do all that it does, or until `isEnough`; resolves with the rights that it was refused, sorted. */
    async function exercise(isEnough: (refused: readonly Right[]) => boolean): Promise<Right[]> {
      if (hasAdmission) await emptySecrets();
      await blockWorker();
      const log = start();
      let complaints = "";
      const refused = () => [...new Set(refusedIn(log() + complaints))].toSorted();
      const enough = new AbortController();
      const until: Until = (probe, isSo) =>
        eventually(
          () => {
            enough.signal.throwIfAborted();
            return probe();
          },
          isSo,
          100_000,
        );
      const admitMissingSecret = async () => {
        if (hasAdmission) await awaitAdmission(until);
        complaints += await nameMissingSecret(until);
      };
      const errands = [changeAndOrphan(until), loseAndFinish(until), admitMissingSecret()];
      await Promise.race([Promise.all(errands), until(async () => refused(), isEnough)]);
      enough.abort(new Error("enough"));
      await Promise.allSettled(errands);
      await stop();
      return refused();
    }

    test("with all of them it is refused nothing", async () => {
      await applyAll(...roles);
      expect(await exercise(() => false)).toEqual([]);
    }, 120_000);

    test("each of them is taken away in one of the rounds", () => {
      expect(
        rounds
          .flat()
          .filter((right) => granted.includes(right))
          .toSorted(),
      ).toEqual(granted.toSorted());
    });

    const own = rounds
      .map((round) => round.filter((right) => granted.includes(right)))
      .filter(({ length }) => length > 0);
    test.each(own.map((round) => [round.join(", "), round] as const))(
      "without %s it is refused just that, and says so",
      async (_, round) => {
        await applyAll(...roles.map((role) => round.reduce(withoutRight, role)));
        const refused = await exercise((seen) => round.every((right) => seen.includes(right)));
        expect(refused).toEqual(round.toSorted());
      },
      120_000,
    );
  },
);
