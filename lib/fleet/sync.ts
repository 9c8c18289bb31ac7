// Clusters made the same, as one file says: all of them are looked at and tried before any is touched, the first one is
// the canary, and each must be at work and the same before the next one begins. What is the same already is passed over,
// so that a run which has stopped can be begun again, and nothing has to be remembered.
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../plan/objects.ts";
import { messageOf } from "../runtime/error-message.ts";
import { applyObject } from "./apply.ts";
import { type Cluster, type FleetOptions, type Outcome, onClusters } from "./clusters.ts";
import { diffOf, type FleetDiff } from "./diff.ts";
import { type Extra, objectsOf } from "./extras.ts";
import type { Fleet, WantedCluster } from "./fleet-file.ts";
import { type Inspection, inspect } from "./inspection.ts";
import { install } from "./install.ts";
import { repair, unsafeRepairs } from "./repair.ts";
import { formatObject, keyOf, resourceOf } from "./resources.ts";
import { waitUntil } from "./waiting.ts";
import type { Watcher } from "./watcher.ts";

export interface SyncOptions extends FleetOptions {
  fleet: Fleet;
  /** Deletes what is in the extension's name and is none of this version. */
  prune: boolean;
  /** Replaces kinds whatever that does to what is stored. */
  acceptsBreakingKinds: boolean;
  /** For each step on a cluster to be at work. */
  timeoutMs: number;
}

/** What is to be done on each cluster, and what stands in the way of any of it. */
export interface SyncPlan {
  diff: FleetDiff;
  problems: readonly { context: string; problem: string }[];
}

export type SyncResult =
  /** `left`: what has not been pruned. */
  | { context: string; outcome: "same" | "synced"; left: readonly string[] }
  | { context: string; outcome: "failed"; error: string }
  | { context: string; outcome: "untouched" };

/** Who follows it. */
export interface SyncView {
  begin(context: string, role: "canary" | "other"): void;
  watcher: Watcher;
  end(result: SyncResult): void;
}

interface Planned {
  inspection: Inspection;
  problem: string | undefined;
}

const silent: Watcher = { begin() {}, waiting() {}, tell() {}, done() {} };
/** Steps have deadlines of their own; a cluster has as many as it needs. */
const unlimitedMs = 24 * 3600e3;

/** Looks at all clusters at the same time, and changes nothing. */
export async function planSync(options: SyncOptions): Promise<SyncPlan> {
  const outcomes = await onClusters(options, (cluster) => planCluster(cluster, options));
  const inspections = outcomes.map(
    (outcome): Outcome<Inspection> =>
      "error" in outcome ? outcome : { context: outcome.context, value: outcome.value.inspection },
  );
  const problems = outcomes.flatMap((outcome) => {
    const problem = "error" in outcome ? `could not be looked at: ${outcome.error}` : outcome.value.problem;
    return problem === undefined ? [] : [{ context: outcome.context, problem }];
  });
  return { diff: diffOf(inspections), problems };
}

/** Acts, one cluster after the other. To be called when nothing stands in the way; ends with the first failure. */
export async function sync(options: SyncOptions, view: SyncView): Promise<SyncResult[]> {
  const results: SyncResult[] = [];
  for (const [index, context] of options.contexts.entries()) {
    if (results.some(({ outcome }) => outcome === "failed")) {
      results.push({ context, outcome: "untouched" });
      continue;
    }
    view.begin(context, index === 0 ? "canary" : "other");
    const one = { ...options, contexts: [context], deadlineMs: unlimitedMs };
    const [outcome] = await onClusters(one, (cluster) => syncCluster(cluster, options, view.watcher));
    if (outcome === undefined) continue;
    const result: SyncResult =
      "error" in outcome ? { context, outcome: "failed", error: outcome.error } : { context, ...outcome.value };
    results.push(result);
    view.end(result);
  }
  return results;
}

async function planCluster(cluster: Cluster, options: SyncOptions): Promise<Planned> {
  const wanted = wantedOn(cluster, options.fleet);
  const inspection = await look(cluster, wanted);
  return { inspection, problem: await problemIn(cluster.client, inspection, wanted, options) };
}

async function problemIn(
  client: KubeClient,
  inspection: Inspection,
  wanted: WantedCluster,
  options: SyncOptions,
): Promise<string | undefined> {
  const [doubt] = inspection.doubts;
  if (doubt !== undefined) return `could not look at ${doubt.object}: ${doubt.reason}`;
  const unsafe = options.acceptsBreakingKinds
    ? []
    : inspection.objects.flatMap((each) =>
        unsafeRepairs(each).map(({ path, reason }) => `${formatObject(each.wanted)}: ${path} ${reason}`),
      );
  if (unsafe.length > 0) {
    return `would break objects or clients (--accept-breaking-kinds does it nevertheless):\n  ${unsafe.join("\n  ")}`;
  }
  if (isSame(inspection)) return undefined;
  try {
    await install(client, installOptions(wanted, options, { dryRun: true, watcher: silent }));
    return undefined;
  } catch (error: unknown) {
    return messageOf(error);
  }
}

async function syncCluster(
  cluster: Cluster,
  options: SyncOptions,
  watcher: Watcher,
): Promise<{ outcome: "same" | "synced"; left: string[] }> {
  const { client } = cluster;
  const { fleet, prune, timeoutMs, stop } = options;
  const wanted = wantedOn(cluster, fleet);
  const before = await look(cluster, wanted);
  const problem = await problemIn(client, before, wanted, options);
  if (problem !== undefined) throw new Error(problem);
  if (isSame(before)) return { outcome: "same", left: [] };
  if (prune) await pruneExtras(client, before.extras.filter(isPrunable), watcher);
  await repairAll(client, ownBefore(before, wanted), watcher);
  await install(client, installOptions(wanted, options, { dryRun: false, watcher }));
  await repairAll(client, ownAfter(before, wanted), watcher);
  await applyAll(client, wanted.objects, watcher);
  let left: string[] = [];
  watcher.begin("comparison");
  await waitUntil(
    "Cannot make it the same",
    async () => {
      const after = await look(cluster, wanted);
      left = after.extras.filter((extra) => !prune || !isPrunable(extra)).map(({ object }) => formatObject(object));
      const remaining = after.differences.filter(({ object, field }) => !(field === "" && left.includes(object)));
      const [first] = remaining;
      return first === undefined ? undefined : `${first.object} still differs: ${first.field || "the whole object"}`;
    },
    { timeoutMs, stop, tell: (words) => watcher.waiting(words) },
  );
  watcher.done(left.length === 0 ? "the same" : `the same, but for ${left.join(", ")}`);
  return { outcome: "synced", left };
}

function wantedOn({ context }: Cluster, { clusters }: Fleet): WantedCluster {
  const wanted = clusters.get(context);
  if (wanted === undefined) throw new Error(`Cannot sync "${context}": must be in the fleet file`);
  return wanted;
}

function look(cluster: Cluster, { extension, objects }: WantedCluster): Promise<Inspection> {
  return inspect(cluster, { installation: extension, objects });
}

function isSame({ differences }: Inspection): boolean {
  return differences.length === 0;
}

function installOptions(
  { extension }: WantedCluster,
  { acceptsBreakingKinds, timeoutMs, stop }: SyncOptions,
  how: { dryRun: boolean; watcher: Watcher },
) {
  return { extension, force: true, acceptsBreakingKinds, timeoutMs, stop, ...how };
}

/**
 * What is repaired before the installation, which may not get ready through what others have added: each object as it was
 * installed. Another image is for the installation to bring, which has both allowed as long as both run.
 */
function ownBefore({ found, objects }: Inspection, { extension }: WantedCluster): KubeObject[] {
  const isThere = new Set(objects.filter(({ live }) => live !== undefined).map((each) => formatObject(each.wanted)));
  return objectsOf({ ...extension, image: found.image ?? extension.image }).filter(
    (object) => object.kind !== "ValidatingAdmissionPolicy" && isThere.has(formatObject(object)),
  );
}

/** All but what the file names: network policies too, which no installation brings. */
function ownAfter({ objects }: Inspection, wanted: WantedCluster): KubeObject[] {
  return objects.map((each) => each.wanted).filter((object) => !wanted.objects.includes(object));
}

async function repairAll(client: KubeClient, objects: readonly KubeObject[], watcher: Watcher): Promise<void> {
  if (objects.length === 0) return;
  watcher.begin("repair");
  let count = 0;
  for (const object of objects) {
    if (!(await repair(client, object))) continue;
    watcher.tell(object, "changed");
    count++;
  }
  watcher.done(count === 0 ? "nothing is left to be undone" : "what others had changed is undone");
}

/** Afterwards, since the webhooks judge them. */
async function applyAll(client: KubeClient, objects: readonly KubeObject[], watcher: Watcher): Promise<void> {
  if (objects.length === 0) return;
  watcher.begin("objects");
  for (const object of objects) {
    const applied = await applyObject(client, object, { force: true });
    const isRepaired = await repair(client, object);
    if (applied.outcome === "conflict") continue; // there is none with force
    watcher.tell(object, applied.outcome === "unchanged" && isRepaired ? "changed" : applied.outcome);
  }
  watcher.done("as the file says");
}

/** With a kind all its objects would go. */
function isPrunable({ object }: Extra): boolean {
  return object.kind !== "CustomResourceDefinition";
}

async function pruneExtras(client: KubeClient, extras: readonly Extra[], watcher: Watcher): Promise<void> {
  if (extras.length === 0) return;
  watcher.begin("pruning");
  for (const { object } of extras) {
    await client.delete(resourceOf(object), keyOf(object), { uid: object.metadata.uid });
    watcher.tell(object, "deleted");
  }
  watcher.done("what was none of this version's is gone");
}
