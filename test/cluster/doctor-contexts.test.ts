// The doctor on several clusters at once: one in order, by a controller outside of it, one without anything, one that
// hangs and one that is down.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../lib/cert/finding.ts";
import { extensionSteps } from "../../lib/manifest/extension.ts";
import { binary, loadtest } from "../binary/process.ts";
import { type ControlPlane, missingControlPlane, startControlPlane, writeMergedKubeconfig } from "./control-plane.ts";
import { documentsOf, eventually } from "./kubectl.ts";

interface Diagnosis {
  context: string;
  healthy: boolean;
  findings: Finding[];
}

const admissionPort = 18_444;
const url = `https://127.0.0.1:${admissionPort}`;

describe.skipIf(missingControlPlane !== undefined)("doctor on several clusters", () => {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  const kubeconfig = join(folder, "kubeconfig");
  let planes: ControlPlane[] = [];
  let controller: Bun.Subprocess | undefined;

  async function diagnose(...args: string[]): Promise<{ code: number; clusters: Diagnosis[] }> {
    const { code, out } = await loadtest(["doctor", "--kubeconfig", kubeconfig, "--output", "json", ...args]);
    return { code, clusters: (JSON.parse(out) as { clusters: Diagnosis[] }).clusters };
  }
  const failures = ({ findings }: Diagnosis) => findings.filter(({ level }) => level === "failure");

  beforeAll(async () => {
    planes = [await startControlPlane("west"), await startControlPlane("east")];
    await writeMergedKubeconfig(kubeconfig, planes);
    const merged = JSON.parse(readFileSync(kubeconfig, "utf8"));
    merged.clusters.push({ name: "down", cluster: { server: "https://127.0.0.1:1" } });
    merged.contexts.push({ name: "down", context: { cluster: "down", user: "west" } });
    writeFileSync(kubeconfig, JSON.stringify(merged));
    const [west] = planes as [ControlPlane];
    const placement = { kind: "outOfCluster", url } as const;
    for (const { objects } of extensionSteps({ image: "localhost/loadtest:dev", replicas: 2, placement })) {
      await west.kubectl(["apply", "-f", "-"], documentsOf(objects));
    }
    const own = ["--kubeconfig", west.kubeconfig, "--worker-image", "localhost/loadtest:dev", "--leader-elect"];
    const ports = ["--admission-port", String(admissionPort), "--health-port", "0", "--metrics-port", "0"];
    controller = Bun.spawn([binary, "controller", ...own, "--webhook-url", url, ...ports, "--drain", "0s"], {
      stderr: Bun.file(join(folder, "controller.log")),
    });
  }, 120_000);

  afterAll(async () => {
    controller?.kill("SIGTERM");
    await controller?.exited;
    await Promise.all(planes.map((plane) => plane.stop()));
    rmSync(folder, { recursive: true });
  }, 60_000);

  test("a controller outside of the cluster is found, and in order", async () => {
    const { clusters } = await eventually(
      () => diagnose("--contexts", "west"),
      ({ code }) => code === 0,
    );
    const messages = new Map(clusters[0]?.findings.map(({ subject, message }) => [subject, message]));
    expect(messages.get("installation")).toBe(`for all namespaces, by a controller outside of the cluster at ${url}`);
    expect(messages.get("certificate that is served")).toBe("by one endpoint, for 127.0.0.1, trusted by the caBundle");
    expect(messages.get("dry run of a bad Canary")).toStartWith("refused by validator.kuar.com");
  }, 90_000);

  test("an empty cluster and one that is down are failures, and the one in order is shown", async () => {
    const { code, clusters } = await diagnose("--contexts", "west,down,east");
    expect(code).toBe(1);
    expect(clusters.map(({ context, healthy }) => [context, healthy])).toEqual([
      ["west", true],
      ["down", false],
      ["east", false],
    ]);
    const [west, down, east] = clusters as [Diagnosis, Diagnosis, Diagnosis];
    expect(west.findings.length).toBeGreaterThan(25);
    expect(down.findings).toHaveLength(1);
    expect(down.findings[0]?.message).toContain("the connection was refused");
    expect(failures(east).map(({ subject, message }) => `${subject}: ${message}`)).toEqual([
      "installation: there is none",
      ...["loadtests", "canaries", "loadtestresults"].map((plural) => `kind ${plural}.beta.kuar.com: there is none`),
    ]);
  }, 60_000);

  test("one that hangs is given up at its deadline, and holds up no other", async () => {
    const [, east] = planes as [ControlPlane, ControlPlane];
    east.freeze();
    try {
      const startedMs = performance.now();
      const { code, clusters } = await diagnose("--contexts", "east,west", "--timeout", "3s");
      expect(performance.now() - startedMs).toBeLessThan(8000);
      expect(code).toBe(1);
      expect(clusters.map(({ healthy }) => healthy)).toEqual([false, true]);
      expect(clusters[0]?.findings[0]?.message).toContain("no answer");
    } finally {
      east.thaw();
    }
  }, 60_000);

  test("as text each cluster has its name, and the counts are words on stderr", async () => {
    const { out, err, code } = await loadtest(["doctor", "--kubeconfig", kubeconfig, "--contexts", "west,down"]);
    expect(code).toBe(1);
    expect(out).toStartWith("west\nOK       API server: v1.");
    expect(out).toContain("\n\ndown\nfailure  API server: ");
    expect(out).toMatch(/\n {9}→ see that it runs/);
    expect(err).toMatch(/^west: \d+ in order, \d+ warnings, no failure\ndown: 0 in order, no warning, 1 failure\n$/);
  }, 60_000);

  test("contexts that are named twice or beside --context are a wrong call", async () => {
    expect((await loadtest(["doctor", "--contexts", "west,west"])).code).toBe(2);
    expect((await loadtest(["doctor", "--contexts", "west,,east"])).code).toBe(2);
    expect((await loadtest(["doctor", "--contexts", "west", "--context", "east"])).code).toBe(2);
    expect((await loadtest(["doctor", "--contexts", "a,b", "--server", "https://127.0.0.1:1"])).code).toBe(2);
  });
});
