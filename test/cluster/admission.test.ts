// Admission on a real API server: with the webhooks, without them, and with them registered but nobody there.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { kindOf } from "../../lib/loadtest/kind.ts";
import { binary } from "../binary/process.ts";
import { type AnyObject, objectsByChance } from "../loadtest/objects.ts";
import { dryRunCreate, judgeAll, type Verdict } from "./admissions.ts";
import { badObjects } from "./bad-objects.ts";
import {
  controllerPods,
  installExtension,
  installWebhooks,
  removeExtension,
  removeWebhooks,
  scale,
} from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

const namespace = "loadtest-admission";
const inNamespace = ["-n", namespace];
/** `scripts/fuzz verdicts` asks for more. */
const corpusSize = Number(process.env["FUZZ_CASES"] ?? 600);
const corpusSeed = Number(process.env["FUZZ_SEED"] ?? 7);

const loadTest = (name: string, spec: object): AnyObject => ({
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name },
  spec: { service: "web", scheme: "https", requestsPerSecond: 10, duration: "5s", ...spec },
});
const ninetyTwenty: AnyObject = {
  apiVersion: "beta.kuar.com/v1",
  kind: "Canary",
  metadata: { name: "ninety-twenty" },
  spec: {
    backends: [
      { service: "a", percent: 90 },
      { service: "b", percent: 20 },
    ],
  },
};
const apply = (object: object, ...flags: string[]) =>
  tryKubectl(["apply", ...inNamespace, ...flags, "-f", "-"], JSON.stringify(object));

/** The endpoint of one replica, asked directly, without the API server. */
async function directly(): Promise<(object: AnyObject) => Promise<Verdict>> {
  const [pod] = await controllerPods();
  return async (object) => {
    const [group, version] = object.apiVersion.split("/");
    const review = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        uid: "direct",
        kind: { group, version, kind: object.kind },
        operation: "CREATE",
        namespace,
        userInfo: { username: "direct", groups: ["system:masters"] },
        object,
        oldObject: null,
      },
    };
    const response = await fetch(`https://${pod?.ip}:8443/validate`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(review),
      tls: { rejectUnauthorized: false },
    });
    const { response: verdict } = (await response.json()) as {
      response: { allowed: boolean; status?: { message: string } };
    };
    return { allowed: verdict.allowed, words: verdict.status?.message ?? "", code: response.status };
  };
}

describe.skipIf(kubeconfig === "")("admission on a real cluster", () => {
  beforeAll(async () => {
    await installExtension();
    await kubectl(["create", "namespace", namespace]);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("a LoadTest without paths is stored with /index.html, one with requests without any", async () => {
    await apply(loadTest("defaulted", {}));
    const stored = await kubectlJson<AnyObject>(["get", "lt", "defaulted", ...inNamespace]);
    expect(stored.spec["paths"]).toEqual(["/index.html"]);
    // The default gives way to requests, as kubectl apply sends them.
    expect((await apply(loadTest("defaulted", { requests: [{ path: "/a" }] }))).code).toBe(0);
    const changed = await kubectlJson<AnyObject>(["get", "lt", "defaulted", ...inNamespace]);
    expect(changed.spec["paths"]).toBeUndefined();
    expect(changed.spec["requests"]).toEqual([{ path: "/a" }]);
    await kubectl(["delete", "lt", "defaulted", ...inNamespace]);
  }, 60_000);

  test("risky values are warned of, and the object is stored", async () => {
    const { err, code } = await apply(loadTest("risky", { tls: { insecureSkipVerify: true } }), "--dry-run=server");
    expect(code).toBe(0);
    expect(err).toContain("Warning: spec.tls.insecureSkipVerify: true");
  }, 60_000);

  test.each(badObjects.map((bad) => [bad.what, bad] as const))(
    "%s is refused by kubectl apply, by validate and by a direct call, in words that name every wrong field",
    async (_, { object, fields, shownFirst = fields }) => {
      const applied = await apply(object);
      expect(applied.code).toBe(1);
      for (const field of shownFirst) expect(applied.err).toContain(field);
      const errors = kindOf(object)?.judge(object).errors ?? [];
      expect(errors.map(({ field }) => field).toSorted()).toEqual(fields.toSorted());
      const judge = await directly();
      const { allowed, words } = await judge(object);
      expect(allowed).toBe(false);
      for (const field of fields) expect(words).toContain(field);
    },
    60_000,
  );

  test(`${corpusSize} objects by chance get one verdict: with webhooks, without, directly and offline`, async () => {
    const objects = objectsByChance(corpusSize, corpusSeed);
    const throughServer = await dryRunCreate(namespace);
    const direct = await directly();
    const withWebhooks = await judgeAll(objects, throughServer);
    const directVerdicts = await judgeAll(objects, direct);
    await removeWebhooks();
    try {
      const withoutWebhooks = await judgeAll(objects, throughServer);
      for (const [index, object] of objects.entries()) {
        const errors = kindOf(object)?.judge(object).errors ?? [];
        const verdicts = {
          withWebhooks: withWebhooks[index]?.allowed,
          withoutWebhooks: withoutWebhooks[index]?.allowed,
          direct: directVerdicts[index]?.allowed,
          offline: errors.length === 0,
        };
        if (new Set(Object.values(verdicts)).size > 1) {
          const words = [withWebhooks[index]?.words, withoutWebhooks[index]?.words, directVerdicts[index]?.words];
          throw new Error(JSON.stringify({ object, verdicts, words }, null, 2));
        }
      }
      expect(withWebhooks.filter(({ allowed }) => allowed).length).toBeGreaterThan(corpusSize / 5);
    } finally {
      await installWebhooks();
    }
  }, 3_600_000);

  test("a Canary of 90 and 20 is refused in words that name the sum, with the webhook running and with it stopped", async () => {
    const words = "sum to 100, not to 110";
    expect((await apply(ninetyTwenty)).err).toContain(words);
    await scale(0);
    expect((await apply(ninetyTwenty)).err).toContain(words);
    await scale(2);
  }, 180_000);

  test("with the webhook stopped, only new specs of our kinds have to wait", async () => {
    expect((await apply(loadTest("kept", {}))).code).toBe(0);
    await scale(0);
    try {
      const refused = await apply(loadTest("new", {}));
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('failed calling webhook "validator.kuar.com"');
      const patch = (body: object, ...flags: string[]) =>
        tryKubectl(["patch", "lt", "kept", ...inNamespace, "--type=merge", "-p", JSON.stringify(body), ...flags]);
      expect((await patch({ spec: { requestsPerSecond: 20 } })).code).toBe(1);
      expect((await patch({ metadata: { labels: { a: "b" }, finalizers: ["example.com/hold"] } })).code).toBe(0);
      expect((await patch({ status: { phase: "Pending" } }, "--subresource=status")).code).toBe(0);
      await kubectl(["delete", "lt", "kept", ...inNamespace, "--wait=false"]);
      expect((await patch({ metadata: { finalizers: null } })).code).toBe(0);
      await eventually(
        () => tryKubectl(["get", "lt", "kept", ...inNamespace]),
        ({ code }) => code !== 0,
      );
      await kubectl(["create", "configmap", "other", ...inNamespace]);
      await kubectl(["create", "service", "clusterip", "other", "--tcp=80", ...inNamespace]);
      await kubectl(["create", "namespace", `${namespace}-other`]);
      await kubectl(["delete", "namespace", `${namespace}-other`]);
    } finally {
      await scale(2);
    }
    await eventually(
      () => apply(loadTest("new", {}), "--dry-run=server"),
      ({ code }) => code === 0,
    );
  }, 240_000);

  test("outside the cluster, the controller registers its URL, with a certificate for the address", async () => {
    await scale(0);
    const url = "https://198.18.255.1:9443";
    const flags = ["--kubeconfig", kubeconfig, "--worker-image", "localhost/loadtest:dev", "--health-port", "0"];
    const admission = ["--webhook-url", url, "--admission-port", "9443", "--metrics-port", "0", "--drain", "0s"];
    const controller = Bun.spawn([binary, "controller", ...flags, ...admission], { stderr: "ignore" });
    try {
      const { err } = await eventually(
        () => apply(loadTest("outside", { port: 0, paths: ["x"] })),
        ({ err }) => !err.includes("failed calling webhook"),
      );
      expect(err).toContain("spec.port");
      await eventually(
        () => apply(loadTest("outside", {}), "--dry-run=server"),
        ({ code }) => code === 0,
      );
      const configuration = ["get", "validatingwebhookconfiguration", "kuar-validator"];
      const { webhooks } = await kubectlJson<{ webhooks: { clientConfig: object }[] }>(configuration);
      expect(webhooks[0]?.clientConfig).toMatchObject({ url: `${url}/validate` });
    } finally {
      controller.kill("SIGTERM");
      await controller.exited;
      await scale(2);
    }
    // The controller inside takes the registration back to its Service, with an authority for that name.
    await eventually(
      () => apply(loadTest("inside", {}), "--dry-run=server"),
      ({ code }) => code === 0,
    );
  }, 240_000);
});
