// Every manifest before a real API server, strictly: unknown fields refused, and no warning. Once by one that behaves as
// the oldest supported version, where the CEL of kinds, webhooks and policies must compile too, and once by the test cluster.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { extensionSteps, type Placement } from "../../lib/manifest/extension.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { badObjects } from "./bad-objects.ts";
import { type ControlPlane, missingControlPlane, startControlPlane } from "./control-plane.ts";
import { objectsIn } from "./extension.ts";
import { documentsOf, eventually, kubeconfig as testCluster } from "./kubectl.ts";

const manifests = join(import.meta.dir, "../../manifests");
const own = "loadtest-system";
const namespace = "loadtest-dry-run";
const kinds = ["loadtest-resource.yaml", "loadtest-result-resource.yaml", "canary-resource.yaml"];
const policies = objectsIn("controller").filter(({ kind }) => kind === "ValidatingAdmissionPolicy");
const all = readdirSync(manifests, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));

interface Outcome {
  code: number;
  out: string;
  err: string;
}

interface Server {
  who: string;
  isMissing: boolean;
  /** Where kubectl is, with a kubeconfig. */
  start: () => Promise<{ kubectl: string; kubeconfig: string; stop: () => Promise<void> }>;
  minor: string | undefined;
}

const servers: readonly Server[] = [
  {
    who: "an API server that behaves as 1.31",
    isMissing: missingControlPlane !== undefined,
    start: async () => {
      const plane: ControlPlane = await startControlPlane("oldest", { emulatedVersion: "1.31" });
      const kubectl = join(dirname(plane.kubeconfig), "bin/kubectl");
      return { kubectl, kubeconfig: plane.kubeconfig, stop: () => plane.stop() };
    },
    minor: "31",
  },
  {
    who: "the test cluster",
    isMissing: testCluster === "",
    start: async () => ({
      kubectl: join(dirname(testCluster), "bin/kubectl"),
      kubeconfig: testCluster,
      stop: async () => {},
    }),
    minor: undefined,
  },
];

for (const { who, isMissing, start, minor } of servers) {
  describe.skipIf(isMissing)(`strict dry runs by ${who}`, () => {
    const cache = mkdtempSync(join(tmpdir(), "dry-run-"));
    let server: Awaited<ReturnType<Server["start"]>>;

    async function kubectl(args: readonly string[], input = ""): Promise<Outcome> {
      const flags = ["--kubeconfig", server.kubeconfig, "--cache-dir", cache];
      const command = [server.kubectl, ...flags, ...args];
      const child = Bun.spawn(command, { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      return { code, out, err };
    }
    const strictly = (...args: string[]) => ["apply", "--server-side", "--validate=strict", ...args];
    const dryRun = (...args: string[]) => kubectl(strictly("--dry-run=server", ...args));
    /** Without an error and without a warning, which kubectl writes to stderr as well. */
    const isFine = ({ code, err }: Outcome) => expect([code, err]).toEqual([0, ""]);

    beforeAll(async () => {
      server = await start();
      const strict = ["enforce", "warn"].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
      for (const name of [own, namespace]) {
        isFine(await kubectl(["create", "namespace", name]));
        isFine(await kubectl(["label", "namespace", name, ...strict]));
      }
    }, 120_000);

    afterAll(async () => {
      const files = [...kinds, "validating-controller.yaml", "mutating-controller.yaml"].flatMap((name) => [
        ...["-f", join(manifests, name)],
      ]);
      await kubectl(["delete", "--ignore-not-found", ...files]);
      const bound = ["validatingadmissionpolicy", "validatingadmissionpolicybinding"];
      await kubectl(["delete", bound.join(), ...policies.map(({ metadata }) => metadata.name), "--ignore-not-found"]);
      await kubectl(["delete", "namespace", own, namespace]);
      await server.stop();
      rmSync(cache, { recursive: true });
    }, 120_000);

    test("it is of that version", async () => {
      const { out } = await kubectl(["version", "-o", "json"]);
      const { serverVersion } = JSON.parse(out) as { serverVersion: { minor: string; emulationMinor?: string } };
      if (minor !== undefined) expect(serverVersion.emulationMinor).toBe(minor);
      expect(Number.parseInt(serverVersion.minor, 10)).toBeGreaterThanOrEqual(31);
    });

    test("the kinds are stored and served, with every rule in CEL", async () => {
      for (const name of kinds) isFine(await kubectl(strictly("-f", join(manifests, name))));
      const names = ["loadtests", "loadtestresults", "canaries"].map((plural) => `crd/${plural}.beta.kuar.com`);
      isFine(await kubectl(["wait", "--for=condition=Established", ...names, "--timeout=30s"]));
      const { out } = await kubectl(["get", ...names, "-o", "json"]);
      const { items } = JSON.parse(out) as { items: { status: { conditions: { type: string; status: string }[] } }[] };
      for (const { status } of items) {
        expect(status.conditions.filter(({ type }) => type === "NonStructuralSchema")).toEqual([]);
      }
    }, 60_000);

    test.each(all)(
      "manifests/%s",
      async (name) => {
        isFine(await dryRun("-n", namespaceOf(name), "-f", join(manifests, name)));
      },
      60_000,
    );

    const placements: Placement[] = [
      { kind: "cluster" },
      { kind: "namespaced", namespace },
      { kind: "outOfCluster", url: "https://192.0.2.7:8443" },
    ];
    test.each(placements.map((placement) => [placement.kind, placement] as const))(
      "what is installed %s",
      async (_, placement) => {
        const steps = extensionSteps({ image: "localhost/loadtest:dev", replicas: 2, placement });
        const objects = steps.flatMap((step): readonly KubeObject[] => step.objects);
        isFine(await kubectl(strictly("--dry-run=server", "-f", "-"), documentsOf(objects)));
      },
      60_000,
    );

    test("the CEL of the policies is understood to its types", async () => {
      expect(policies).toHaveLength(3);
      isFine(await kubectl(strictly("-f", "-"), documentsOf(policies)));
      if (minor !== undefined) return; // a bare control plane has no controller that looks at types
      for (const { metadata } of policies) {
        const look = async () =>
          JSON.parse((await kubectl(["get", "validatingadmissionpolicy", metadata.name, "-o", "json"])).out);
        const { status } = await eventually(
          look,
          (each) => each.status?.observedGeneration === each.metadata.generation,
        );
        expect(status.typeChecking?.expressionWarnings ?? []).toEqual([]);
      }
    }, 60_000);

    test("a field that is none is refused, so that strict is strict", async () => {
      const text = readFileSync(join(manifests, "samples/loadtest.yaml"), "utf8").replace("spec:", "spec:\n  extra: 1");
      const { code, err } = await kubectl(strictly("--dry-run=server", "-n", namespace, "-f", "-"), text);
      expect([code, err.includes("extra")]).toEqual([1, true]);
    }, 30_000);

    test.each(badObjects.map((bad) => [bad.what, bad] as const))(
      "%s is refused by the kind's own rules, in words that name it",
      async (_, { object, fields, shownFirst = fields }) => {
        const { code, err } = await kubectl(
          ["create", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-"],
          JSON.stringify(object),
        );
        expect(code).toBe(1);
        for (const field of shownFirst) expect(err).toContain(field);
      },
      30_000,
    );
  });
}

/** Samples and what names no namespace go anywhere; the others say where they belong. */
function namespaceOf(name: string): string {
  return name === "controller.yaml" ? own : namespace;
}
