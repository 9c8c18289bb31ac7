// The serving certificate on a real cluster: it changes, and nobody's admission fails.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { loadtest } from "../binary/process.ts";
import type { AnyObject } from "../loadtest/objects.ts";
import { dryRunCreate, judgeSteadily, mostUnderWay } from "./admissions.ts";
import { controllerPods, extensionNamespace, installExtension, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";

/** `scripts/soak certificates` asks for more. */
const renewals = Number(process.env["RENEWALS"] ?? 3);
const rotations = Number(process.env["ROTATIONS"] ?? 1);
const admissionsPerSecond = 100;
const host = "loadtest.loadtest-system.svc";

const object: AnyObject = {
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name: "steady" },
  spec: { service: "web", scheme: "https", requestsPerSecond: 10, duration: "5s" },
};

interface Secret {
  metadata: { annotations?: Record<string, string> };
  data?: Record<string, string>;
}
interface Configuration {
  webhooks: { clientConfig: { caBundle?: string } }[];
}

const secret = (name: string) => kubectlJson<Secret>(["get", "secret", name, "-n", extensionNamespace]);
const pem = async (name: string, key: string) => atob((await secret(name)).data?.[key] ?? "");
const servingSerial = async () => new X509Certificate(await pem("loadtest-webhook-tls", "tls.crt")).serialNumber;
async function bundles(): Promise<string[]> {
  const all = ["validatingwebhookconfiguration/kuar-validator", "mutatingwebhookconfiguration/kuar-defaulter"];
  const found = await Promise.all(all.map((name) => kubectlJson<Configuration>(["get", name])));
  return found.flatMap(({ webhooks }) => webhooks.map(({ clientConfig }) => atob(clientConfig.caBundle ?? "")));
}
const certificatesIn = (bundle: string) => bundle.split("-----BEGIN CERTIFICATE-----").length - 1;

/** Of the condition that the controller writes into its Service. */
const conditionField = (field: "reason" | "message") =>
  kubectl([
    "get",
    "service/loadtest",
    "-n",
    extensionNamespace,
    "-o",
    `jsonpath={.status.conditions[?(@.type=="ServingCertificateReady")].${field}}`,
  ]);

async function renew(...flags: string[]): Promise<void> {
  const { code, err } = await loadtest(["cert", "renew", "--kubeconfig", kubeconfig, "--timeout", "3m", ...flags]);
  if (code !== 0) throw new Error(err);
}

/**
 * What a call says that was not answered in time: on a machine that stands still for seconds, whoever it is about. Where
 * the endpoint is away, all that are under way say so.
 */
const lateness = /context deadline exceeded|no answer in time/;

/** Runs `work` while objects are admitted all the time; fails with what any failed one said. */
async function underLoad(work: () => Promise<void>): Promise<void> {
  const load = judgeSteadily(object, await dryRunCreate("default"), admissionsPerSecond);
  try {
    await work();
  } finally {
    const { calls, failures } = await load.stop();
    const late = failures.filter((words) => lateness.test(words));
    console.log(`${calls} admissions, ${failures.length} failed, ${late.length} of them late`);
    for (const words of late) console.log(words);
    expect(failures.filter((words) => !lateness.test(words))).toEqual([]);
    expect(late.length).toBeLessThan(mostUnderWay);
    expect(calls).toBeGreaterThan(admissionsPerSecond);
  }
}

describe.skipIf(kubeconfig === "")("the serving certificate on a real cluster", () => {
  beforeAll(async () => {
    await installExtension();
  }, 180_000);
  afterAll(removeExtension, 120_000);

  test("it is there without anybody's doing: chain, names, constraints, Secrets that only name what they hold", async () => {
    const authority = new X509Certificate(await pem("loadtest-webhook-ca", "ca.crt"));
    const serving = new X509Certificate(await pem("loadtest-webhook-tls", "tls.crt"));
    expect(serving.checkIssued(authority)).toBe(true);
    expect(serving.verify(authority.publicKey)).toBe(true);
    expect(serving.checkHost(host)).toBe(host);
    for (const bundle of await bundles()) expect(bundle).toBe(authority.toString());
    const days = (serving.validToDate.getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
  }, 60_000);

  test(`${renewals} renewals of the certificate fail no admission`, async () => {
    await underLoad(async () => {
      for (let i = 0; i < renewals; i++) {
        const before = await servingSerial();
        await renew();
        expect(await servingSerial()).not.toBe(before);
      }
    });
  }, 1_800_000);

  test(`${rotations} rotations of the authority fail no admission, and leave one authority trusted`, async () => {
    await underLoad(async () => {
      for (let i = 0; i < rotations; i++) {
        const before = await pem("loadtest-webhook-ca", "ca.crt");
        await renew("--ca");
        const after = await pem("loadtest-webhook-ca", "ca.crt");
        expect(after).not.toBe(before);
        for (const bundle of await bundles()) expect(bundle.trim()).toBe(after.trim());
      }
    });
  }, 1_800_000);

  test("a replica killed in the middle of a rotation does not hold it up, and fails no admission after its connections are gone", async () => {
    const rotation = renew("--ca");
    await eventually(bundles, (all) => all.every((bundle) => certificatesIn(bundle) === 2));
    const lease = await kubectlJson<{ spec: { holderIdentity: string } }>([
      "get",
      "lease",
      "loadtest-controller",
      "-n",
      extensionNamespace,
    ]);
    const leader = (await controllerPods()).find(({ name }) => lease.spec.holderIdentity.startsWith(name));
    await kubectl(["delete", "pod", leader?.name ?? "", "-n", extensionNamespace, "--grace-period=0", "--force"]);
    await rotation;
    for (const bundle of await bundles()) expect(certificatesIn(bundle)).toBe(1);
  }, 240_000);

  test("a rolling update fails no admission", async () => {
    await underLoad(async () => {
      await kubectl(["rollout", "restart", "deployment/loadtest", "-n", extensionNamespace]);
      await kubectl(["rollout", "status", "deployment/loadtest", "-n", extensionNamespace, "--timeout=120s"]);
      await eventually(controllerPods, (pods) => pods.length === 2);
    });
  }, 240_000);

  test("a lost authority, an emptied bundle and a wiped certificate are repaired", async () => {
    const isWhole = async () => {
      const [authority, serving, ...trusted] = await Promise.all([
        pem("loadtest-webhook-ca", "ca.crt"),
        pem("loadtest-webhook-tls", "tls.crt"),
        ...(await bundles()),
      ]);
      return (
        authority !== "" &&
        trusted.every((bundle) => bundle === authority) &&
        serving.startsWith("-----BEGIN CERTIFICATE-----") &&
        new X509Certificate(serving).verify(new X509Certificate(authority).publicKey)
      );
    };
    const patch = (what: string, body: string, type: string) =>
      kubectl(["patch", ...what.split(" "), "-n", extensionNamespace, `--type=${type}`, "-p", body]);
    const damages = [
      () => patch("secret loadtest-webhook-ca", '{"data":null}', "merge"),
      () => patch("secret loadtest-webhook-tls", '{"data":{"tls.crt":"bm9uc2Vuc2U="}}', "merge"),
      () =>
        patch(
          "validatingwebhookconfiguration kuar-validator",
          '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]',
          "json",
        ),
    ];
    for (const damage of damages) {
      expect(await damage()).toEndWith("patched\n"); // and not "(no change)"; it may be repaired already
      await eventually(isWhole, (whole) => whole, 60_000);
    }
    const admit = await dryRunCreate("default");
    await eventually(
      () => admit(object),
      ({ allowed }) => allowed,
    );
  }, 240_000);

  test("what it does is told in Events and in a condition", async () => {
    const { items } = await kubectlJson<{ items: { reason: string; note: string }[] }>([
      "get",
      "events.events.k8s.io",
      "-n",
      extensionNamespace,
    ]);
    const reasons = items.map(({ reason }) => reason);
    for (const reason of ["AuthorityCreated", "CertificateIssued", "BundleWritten"]) expect(reasons).toContain(reason);
    const message = await conditionField("message");
    expect(message).toContain((await servingSerial()).toLowerCase());
    expect(JSON.stringify(items)).not.toContain("PRIVATE KEY");
  }, 60_000);

  test("cert-manager's caBundle is left alone", async () => {
    const name = "mutatingwebhookconfiguration/kuar-defaulter";
    await kubectl(["annotate", name, "cert-manager.io/inject-ca-from=loadtest-system/some"]);
    await kubectl(["patch", name, "--type=json", "-p", '[{"op":"remove","path":"/webhooks/0/clientConfig/caBundle"}]']);
    const condition = () => conditionField("reason");
    await eventually(condition, (reason) => reason === "ForeignAuthority");
    await Bun.sleep(6000); // a pass and more
    expect((await kubectlJson<Configuration>(["get", name])).webhooks[0]?.clientConfig.caBundle).toBeUndefined();
    await kubectl(["annotate", name, "cert-manager.io/inject-ca-from-"]);
    await eventually(condition, (reason) => reason === "Valid");
  }, 90_000);
});
