// The binary as a plugin of kubectl, by two links on the PATH: with a real kubectl and a real API server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ControlPlane, missingControlPlane, startControlPlane } from "../cluster/control-plane.ts";
import { PluginHome } from "./plugin-home.ts";

const manifest = (name: string) => readFileSync(join(import.meta.dir, `../../manifests/${name}.yaml`), "utf8");
const home = new PluginHome();
afterAll(() => home.remove());

describe.skipIf(missingControlPlane !== undefined)("as a plugin of kubectl", () => {
  let plane: ControlPlane;
  let token: string;
  const kubectl = (args: string[], variables: Record<string, string> = { KUBECONFIG: plane.kubeconfig }) =>
    home.run([join(dirname(plane.kubeconfig), "bin/kubectl"), ...args], variables);
  /** What kubectl's own completion offers. */
  const offers = async (...words: string[]) => {
    const { out } = await kubectl(["__complete", ...words]);
    return out
      .trimEnd()
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split("\t")[0] ?? "");
  };

  beforeAll(async () => {
    plane = await startControlPlane("plugin");
    const kinds = ["loadtest-resource", "loadtest-result-resource", "canary-resource"].map(manifest).join("---\n");
    await plane.kubectl(["apply", "-f", "-"], kinds);
    await plane.kubectl(["wait", "--for=condition=Established", "crd/loadtests.beta.kuar.com", "--timeout=30s"]);
    await plane.kubectl(["create", "namespace", "mine"]);
    for (const name of ["one", "two"]) {
      const spec = { service: "web", scheme: "http", requestsPerSecond: 1 };
      const object = { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata: { name, namespace: "mine" }, spec };
      await plane.kubectl(["apply", "-f", "-"], JSON.stringify(object));
    }
    await plane.kubectl(["create", "serviceaccount", "reader", "-n", "mine"]);
    await plane.kubectl(["create", "clusterrole", "reader", "--verb=get,list", "--resource=loadtests.beta.kuar.com"]);
    await plane.kubectl([
      ...["create", "rolebinding", "reader", "-n", "mine", "--clusterrole=reader", "--serviceaccount=mine:reader"],
    ]);
    token = (await plane.kubectl(["create", "token", "reader", "-n", "mine"])).trim();
  }, 90_000);
  afterAll(() => plane.stop());

  test("kubectl loadtest is this program, and says so in its usage and its examples", async () => {
    expect((await kubectl(["loadtest", "version"])).out).toMatch(/^loadtest \d/);
    expect((await kubectl(["loadtest", "status", "--help"])).out).toStartWith(
      "Usage: kubectl loadtest status [options]",
    );
    expect((await kubectl(["loadtest", "cert", "--help"])).out).toContain("\n  kubectl loadtest cert issue ");
    expect((await home.run(["loadtest", "cert", "--help"])).out).toContain("\n  loadtest cert issue ");
    const { code, err } = await kubectl(["loadtest", "status", "--nonsense"]);
    expect(code).toBe(2);
    expect(err).toContain("--nonsense");
  }, 30_000);

  test("kubectl takes no flags before the plugin's name", async () => {
    expect((await kubectl(["--context", "plugin", "loadtest", "status"])).err).toContain(
      "flags cannot be placed before",
    );
  });

  test("completion goes on behind the plugin's name, down to the names of LoadTests", async () => {
    expect(await offers("loadtest", "sta")).toEqual(["status"]);
    expect(await offers("loadtest", "cert", "appr")).toEqual(["approve"]);
    expect(await offers("loadtest", "status", "-n", "min")).toEqual(["mine"]);
    expect(await offers("loadtest", "status", "-n", "mine", "")).toEqual(["one", "two"]);
    expect(await offers("loadtest", "status", "--namespace=mine", "t")).toEqual(["two"]);
    expect(await offers("loadtest", "doctor", "--context", "")).toEqual(["plugin"]);
  }, 30_000);

  const authority = () => join(dirname(plane.kubeconfig), "ca.crt");
  const everybody = { KUBECONFIG: join(home.folder, "none") };
  const byToken = () => ["--server", plane.url, "--certificate-authority", authority(), "--token", token, "-n", "mine"];
  test.each([
    ["the kubeconfig alone", () => [], undefined],
    ["--kubeconfig", () => ["--kubeconfig", plane.kubeconfig], everybody],
    ["--context and --namespace", () => ["--context", "plugin", "--namespace", "mine"], undefined],
    ["--cluster and --user", () => ["--cluster", "plugin", "--user", "plugin"], undefined],
    ["--server, --certificate-authority and --token, without a kubeconfig", byToken, everybody],
    ["--tls-server-name", () => [...byToken(), "--tls-server-name", "kubernetes.default.svc"], everybody],
    [
      "--insecure-skip-tls-verify",
      () => ["-s", plane.url, "--insecure-skip-tls-verify", "--token", token, "-n", "mine"],
      everybody,
    ],
    ["--as", () => ["--as", "system:serviceaccount:mine:reader", "-n", "mine"], undefined],
    ["--as and --as-group", () => ["--as", "me", "--as-group", "system:masters"], undefined],
    [
      "--client-certificate and --client-key",
      () => withAdmin(plane, ["-s", plane.url, "--certificate-authority", authority()]),
      everybody,
    ],
    ["--token beside a client certificate, which counts, as with kubectl", () => ["--token", token], undefined],
    ["--request-timeout in seconds", () => ["--request-timeout", "20"], undefined],
    ["--request-timeout without limit", () => ["--request-timeout=0"], undefined],
  ])(
    "status by %s",
    async (_, args, variables) => {
      const { out, err } = await kubectl(["loadtest", "status", "--output", "json", ...args()], variables);
      expect(err).toBe("");
      expect((JSON.parse(out) as { name: string }[]).map(({ name }) => name)).toEqual(["one", "two"]);
    },
    30_000,
  );

  test.each([
    [
      "--as somebody without rights",
      () => ["--as", "nobody"],
      undefined,
      'User \\"nobody\\" cannot list|User "nobody" cannot list',
    ],
    [
      "--tls-server-name of another server",
      () => ["--tls-server-name", "other.example"],
      undefined,
      "for another name",
    ],
    ["--server without its authority", () => ["-s", plane.url, "--token", token], everybody, "is not trusted"],
    ["--user who is not there", () => ["--user", "x"], undefined, 'user "x" must be in users'],
    ["--cluster that is not there", () => ["--cluster", "x"], undefined, 'cluster "x" must be in clusters'],
    ["two groups", () => ["--as", "a", "--as-group", "b", "--as-group", "c"], undefined, "at most one"],
    ["a timeout that is none", () => ["--request-timeout", "soon"], undefined, "must be a duration"],
  ])(
    "status by %s is refused",
    async (_, args, variables, words) => {
      const { code, err } = await kubectl(["loadtest", "status", ...args()], variables);
      expect(code).toBeGreaterThan(0);
      expect(err).toMatch(new RegExp(words));
    },
    30_000,
  );

  test("kubectl itself believes the certificate, too", async () => {
    const { out } = await kubectl(["auth", "whoami", "--token", token, "-o", "jsonpath={.status.userInfo.username}"]);
    expect(out).toBe("admin");
  }, 30_000);

  test("--request-timeout ends the wait for an API server that hangs", async () => {
    plane.freeze();
    try {
      const startedMs = performance.now();
      const { code, err } = await kubectl(["loadtest", "status", "--request-timeout", "1s"]);
      expect([code, performance.now() - startedMs < 9000]).toEqual([1, true]);
      expect(err).toContain("no answer in time");
    } finally {
      plane.thaw();
    }
  }, 30_000);
});

/** The flags of the administrator of a control plane. */
function withAdmin({ kubeconfig: file }: ControlPlane, flags: string[]): string[] {
  const own = (name: string) => join(dirname(file), name);
  return [...flags, "--client-certificate", own("admin.crt"), "--client-key", own("admin.key")];
}
