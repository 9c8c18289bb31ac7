// `loadtest sync`: makes clusters the same, as a file says; by default it only says what that would be.
import { Command } from "commander";
import { exitCodeOf } from "../fleet/diff.ts";
import { planSync, type SyncOptions, type SyncPlan, type SyncResult, type SyncView, sync } from "../fleet/sync.ts";
import { driftTable } from "../report/drift-table.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import { timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { addFleetFlags, contextsOf, type FleetFlags, fleetOptions, readFleetFile } from "./fleet-options.ts";
import { outputOption } from "./output-option.ts";
import { StepView } from "./step-view.ts";

interface Flags extends FleetFlags {
  filename: string;
  apply?: true;
  prune?: true;
  acceptBreakingKinds?: true;
  output: "text" | "json";
}

const explanations = `
The file says what is common to all clusters, and what is not:
  image: registry.example/loadtest:1.0
  replicas: 2
  objects: [checkout.yaml]          files, or LoadTests and Canaries themselves
  clusters:
    west: {}                        the canary: the first to be changed
    east: {replicas: 3}
    edge: {outOfCluster: "https://192.0.2.7:8443"}
    lab: {namespaced: team-a, objects: []}
In place of outOfCluster and namespaced, inCluster: true undoes what is common.
Each object must have metadata.name and metadata.namespace.

Without --apply it is said what differs, as diff says it, and whether anything
stands in the way of changing it; nothing is changed. With --apply all clusters
are looked at first, and none is touched while anything stands in the way on any
of them. Then they are changed one after the other, as install does it: each must
be at work, answer a probe and be the same before the next one begins. The first
failure ends it. Begun again, it passes over what is the same.

What others have changed in the extension's objects is undone. Objects in its
name that are none of this version are deleted with --prune only; kinds never,
because their objects would go with them.
Exit code 0: nothing stands in the way, and with --apply all are the same.
`;

export function syncCommand(): Subcommand {
  const command = addFleetFlags(
    new Command("sync")
      .description("make the extension the same on several clusters, as a file says")
      .requiredOption("-f, --filename <file>", "fleet file; - is stdin")
      .option("--apply", "change the clusters (default: only say what would be changed)")
      .option("--prune", "delete what is in the extension's name and none of this version")
      .option("--accept-breaking-kinds", "replace kinds even if stored objects or clients break"),
    "all of the file, in its order",
    timeoutOption("for a look at one cluster, and for each step on it to be at work", "2m"),
  )
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => run(command.opts<Flags>()) };
}

async function run(flags: Flags): Promise<ExitCode> {
  const fleet = await readFleetFile(flags.filename);
  const options: SyncOptions = {
    ...fleetOptions(flags, contextsOf(flags, fleet), stopSignal()),
    fleet,
    prune: flags.prune ?? false,
    acceptsBreakingKinds: flags.acceptBreakingKinds ?? false,
    timeoutMs: flags.timeout / 1e6,
  };
  const plan = await planSync(options);
  if (flags.output === "text") printPlan(plan, options.contexts);
  const isHindered = plan.problems.length > 0;
  const view = new FleetView(flags.output === "text");
  const results = flags.apply && !isHindered ? await sync(options, view) : [];
  if (flags.output === "json") writeOut(formatJson(plan, results, flags));
  else writeErr(`${verdictOf(plan, results, flags)}\n`);
  const isDone = !isHindered && results.every(({ outcome }) => outcome === "same" || outcome === "synced");
  return isDone && leftOf(results).length === 0 ? ExitCode.Passed : ExitCode.Failed;
}

function printPlan({ diff, problems }: SyncPlan, contexts: readonly string[]): void {
  for (const line of driftTable(diff.differences)) writeOut(`${line}\n`);
  for (const context of contexts) {
    const count = diff.differences.filter((each) => each.context === context).length;
    const words = [
      ...(count === 0 ? [] : [count === 1 ? "1 difference" : `${count} differences`]),
      ...problems.filter((each) => each.context === context).map(({ problem }) => problem),
    ];
    writeErr(`${context}${context === contexts[0] ? " (canary)" : ""}: ${words.join("; ") || "the same"}\n`);
  }
}

function verdictOf({ diff, problems }: SyncPlan, results: readonly SyncResult[], { apply, prune }: Flags): string {
  if (problems.length > 0) return `Nothing is changed: ${listOf(problems)} must be put in order first, or left out.`;
  if (!apply) {
    if (exitCodeOf(diff) === 0) return "Nothing is to be done.";
    const hasExtras = diff.differences.some(({ field, wanted }) => field === "" && wanted === undefined);
    const pruning = hasExtras && !prune ? ", and deletes what is none of this version with --prune" : "";
    return `Nothing is changed, this was a dry run; --apply does it${pruning}.`;
  }
  const failed = results.find(({ outcome }) => outcome === "failed");
  const untouched = results.filter(({ outcome }) => outcome === "untouched");
  if (failed !== undefined) {
    const rest = untouched.length === 0 ? "" : `; not touched: ${listOf(untouched)}`;
    return `Ended at ${failed.context}${rest}. Begun again, it goes on from there.`;
  }
  const left = leftOf(results);
  return left.length === 0 ? "All are the same." : `All are the same, but for what is left: ${left.join(", ")}.`;
}

function leftOf(results: readonly SyncResult[]): string[] {
  return results.flatMap((result) =>
    "left" in result ? result.left.map((each) => `${each} on ${result.context}`) : [],
  );
}

function listOf(items: readonly { context: string }[]): string {
  return items.map(({ context }) => context).join(", ");
}

/** Of what is done on one cluster: what stays as it is, is no news. */
class ChangesView extends StepView {
  override tell(...news: Parameters<StepView["tell"]>): void {
    if (news[1] !== "unchanged") super.tell(...news);
  }
}

/** The steps on each cluster, below its name. */
class FleetView implements SyncView {
  watcher: StepView;
  readonly #hasText: boolean;

  constructor(hasText: boolean) {
    this.#hasText = hasText;
    this.watcher = new ChangesView(hasText);
  }

  begin(context: string, role: "canary" | "other"): void {
    this.watcher = new ChangesView(this.#hasText);
    writeErr(`\n${context}${role === "canary" ? " (canary)" : ""}\n`);
  }

  end(result: SyncResult): void {
    this.watcher.end();
    if (result.outcome === "failed") writeErr(`${result.context}: ${result.error}\n`);
    if (result.outcome === "same") writeErr("the same already\n");
  }
}

function formatJson(plan: SyncPlan, results: readonly SyncResult[], { apply }: Flags): string {
  const summary = { dryRun: !apply, problems: plan.problems, ...plan.diff, results };
  return `${JSON.stringify(summary, null, 2)}\n`;
}
