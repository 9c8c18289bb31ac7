// Three clusters kept the same: what somebody changes on one of them is found, by object and field, and nothing else is;
// `sync` makes them the same again, and stops before it does harm.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetDiff } from "../../lib/fleet/diff.ts";
import { binary, loadtest } from "../binary/process.ts";
import {
  type ControlPlane,
  freePorts,
  missingControlPlane,
  startControlPlane,
  writeMergedKubeconfig,
} from "./control-plane.ts";
import { changes, comingsAndGoings, type Drift } from "./drifts.ts";

const reason = existsSync(binary) ? missingControlPlane : `"${binary}" is missing, must be built first (scripts/build)`;
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const image = "localhost/loadtest:dev";
const names = ["west", "east", "north"] as const;
type Name = (typeof names)[number];

describe.skipIf(reason !== undefined)("three clusters", () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-"));
  const kubeconfig = join(folder, "kubeconfig");
  const file = join(folder, "fleet.yaml");
  const planes = new Map<Name, ControlPlane>();
  const controllers = new Map<Name, Bun.Subprocess>();
  const ports = new Map<Name, number>();
  const plane = (name: Name) => planes.get(name) as ControlPlane;

  beforeAll(async () => {
    const free = await freePorts(names.length);
    for (const [index, name] of names.entries()) ports.set(name, free[index] as number);
    await Promise.all(names.map(async (name) => planes.set(name, await startControlPlane(name))));
    await writeMergedKubeconfig(kubeconfig, names.map(plane));
    writeFileSync(join(folder, "canary.yaml"), JSON.stringify(canary));
    writeFileSync(file, JSON.stringify(fleet()));
    for (const name of names) startController(name);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(names.map(stopController));
    await Promise.all([...planes.values()].map((each) => each.stop()));
    rmSync(folder, { recursive: true });
  }, 60_000);

  const canary = {
    apiVersion: "beta.kuar.com/v1",
    kind: "Canary",
    metadata: { name: "split", namespace: "default" },
    spec: { backends: [{ service: "a", percent: 100 }] },
  };

  function fleet() {
    const clusters = Object.fromEntries(
      names.map((name) => [name, { outOfCluster: `https://127.0.0.1:${ports.get(name)}` }]),
    );
    return { image, objects: ["canary.yaml"], clusters };
  }

  function startController(name: Name): void {
    const own = ["--kubeconfig", kubeconfig, "--context", name, "--worker-image", image];
    const port = String(ports.get(name));
    const admission = ["--webhook-url", `https://127.0.0.1:${port}`, "--admission-port", port, "--drain", "0s"];
    const services = ["--health-port", "0", "--metrics-port", "0"];
    const log = Bun.file(join(folder, `${name}.log`));
    controllers.set(name, Bun.spawn([binary, "controller", ...own, ...admission, ...services], { stderr: log }));
  }

  async function stopController(name: Name): Promise<void> {
    controllers.get(name)?.kill("SIGTERM");
    await controllers.get(name)?.exited;
  }

  const run = (...args: string[]) => loadtest([...args, "--kubeconfig", kubeconfig]);

  async function diff(...args: string[]): Promise<FleetDiff & { same: boolean | null; code: number; err: string }> {
    const { code, out, err } = await run("diff", "--output", "json", ...args);
    if (out === "") throw new Error(err);
    return { ...(JSON.parse(out) as FleetDiff & { same: boolean | null }), code, err };
  }

  /** Where something differs, sorted. */
  const places = ({ differences }: FleetDiff) =>
    differences.map(({ context, object, field }) => `${context} | ${object} | ${field}`).toSorted();
  const placesOf = (context: Name, drifts: readonly Drift[]) =>
    drifts.map(({ object, field }) => `${context} | ${object} | ${field}`);

  async function seed(name: Name, drifts: readonly Drift[]): Promise<void> {
    for (const { command, input } of drifts) await plane(name).kubectl(command, input);
  }

  /** Every object of the extension's kinds, as often as it has been written: whatever is written to shows. */
  async function versionsOf(name: Name): Promise<Record<string, string>> {
    const kinds =
      "namespace,crd,serviceaccount,clusterrole,clusterrolebinding,role,rolebinding,secret,service,deployment,canary," +
      "validatingadmissionpolicy,validatingadmissionpolicybinding,validatingwebhookconfiguration,mutatingwebhookconfiguration";
    const text = await plane(name).kubectl(["get", kinds, "-A", "-o", "json"]);
    const { items } = JSON.parse(text) as { items: { kind: string; metadata: Record<string, string> }[] };
    return Object.fromEntries(
      items.map(({ kind, metadata }) => [
        `${kind} ${metadata["namespace"]}/${metadata["name"]}`,
        metadata["resourceVersion"] as string,
      ]),
    );
  }

  test("without the extension are told from those with it", async () => {
    const found = await diff("--contexts", "west,east", "--filename", file);
    expect(found.code).toBe(1);
    expect(places(found)).toEqual(["east | the extension | ", "west | the extension | "]);
  }, 60_000);

  test("are installed by sync, the canary first, and are the same then", async () => {
    const plan = await run("sync", "--filename", file);
    expect([plan.code, plan.err]).toEqual([0, expect.stringContaining("Nothing is changed, this was a dry run")]);
    expect(await plane("west").kubectl(["get", "crd", "-o", "name"])).not.toContain("kuar.com");
    const { code, err } = await run("sync", "--filename", file, "--apply");
    expect([code, err]).toEqual([0, expect.stringContaining("All are the same.")]);
    expect(err.indexOf("west (canary)")).toBeLessThan(err.indexOf("\neast\n"));
    const found = await diff("--filename", file);
    expect([found.code, found.same, places(found)]).toEqual([0, true, []]);
  }, 120_000);

  test("are changed by no second sync", async () => {
    const before = await Promise.all(names.map(versionsOf));
    const { code } = await run("sync", "--filename", file, "--apply");
    expect(code).toBe(0);
    expect(await Promise.all(names.map(versionsOf))).toEqual(before);
  }, 60_000);

  test("differ in what nobody has told, and only from each other", async () => {
    const url = (name: Name) => `out of the cluster, at https://127.0.0.1:${ports.get(name)}`;
    const found = await diff("--contexts", "west,east");
    expect(found.differences).toEqual([
      {
        context: "east",
        object: "the extension",
        field: "placement",
        found: url("east"),
        wanted: url("west"),
        as: "west",
      },
    ]);
    expect(await diff("--contexts", "east")).toMatchObject({ code: 0, same: true });
  }, 60_000);

  test("are told apart by what somebody has changed, added or deleted on one of them", async () => {
    await Promise.all(names.map(stopController)); // which would put some of it in order
    await seed("east", changes);
    await seed("north", comingsAndGoings);
    const found = await diff("--filename", file);
    expect(changes.length + comingsAndGoings.length).toBeGreaterThanOrEqual(25);
    expect(places(found)).toEqual([...placesOf("east", changes), ...placesOf("north", comingsAndGoings)].toSorted());
    expect(found.clusters.map(({ context, state }) => [context, state])).toEqual([
      ["west", "same"],
      ["east", "differs"],
      ["north", "differs"],
    ]);
    expect([found.code, found.same]).toEqual([1, false]);
  }, 120_000);

  test("say which one could not be looked at, and show the others all the same", async () => {
    plane("north").freeze();
    try {
      const found = await diff("--filename", file);
      expect([found.code, found.same]).toEqual([2, null]);
      expect(places(found)).toEqual(placesOf("east", changes).toSorted());
      expect(found.clusters.find(({ context }) => context === "north")).toMatchObject({
        state: "unknown",
        error: expect.stringContaining("no answer"),
      });
    } finally {
      plane("north").thaw();
    }
  }, 60_000);

  test("are not touched when the canary does not work", async () => {
    await seed("west", [changes[4] as Drift]); // its controller is away: no probe will succeed
    const before = await Promise.all([versionsOf("east"), versionsOf("north")]);
    const { code, err } = await run("sync", "--filename", file, "--apply", "--timeout", "20s");
    expect([code, err]).toEqual([1, expect.stringContaining("Ended at west; not touched: east, north.")]);
    expect(err).toContain("Cannot see admission work");
    expect(await Promise.all([versionsOf("east"), versionsOf("north")])).toEqual(before);
  }, 60_000);

  test("are not touched when one of them cannot be changed safely", async () => {
    const maximum = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/backends/maxItems";
    const patch = JSON.stringify([{ op: "replace", path: maximum, value: 99 }]);
    await plane("north").kubectl(["patch", "crd", "canaries.beta.kuar.com", "--type=json", "-p", patch]);
    const before = await Promise.all(names.map(versionsOf));
    const { code, err } = await run("sync", "--filename", file, "--apply", "--prune");
    expect([code, err]).toEqual([1, expect.stringContaining("Nothing is changed: north must be put in order first")]);
    expect(err).toContain("would break objects or clients");
    expect(await Promise.all(names.map(versionsOf))).toEqual(before);
    await plane("north").kubectl([
      "patch",
      "crd",
      "canaries.beta.kuar.com",
      "--type=json",
      "-p",
      patch.replace("99", "16"),
    ]);
  }, 60_000);

  test("are made the same again, but for what only --prune deletes", async () => {
    for (const name of names) startController(name);
    const extras = comingsAndGoings.filter(({ command: [verb] }) => verb !== "delete");
    const { code, err } = await run("sync", "--filename", file, "--apply");
    expect([code, err]).toEqual([1, expect.stringContaining("All are the same, but for what is left: ")]);
    const found = await diff("--filename", file);
    expect(places(found)).toEqual(placesOf("north", extras).toSorted());
  }, 180_000);

  test("are the same again after --prune", async () => {
    const { code } = await run("sync", "--filename", file, "--apply", "--prune");
    expect(code).toBe(0);
    const found = await diff("--filename", file);
    expect([found.code, found.same, places(found)]).toEqual([0, true, []]);
  }, 120_000);
});
