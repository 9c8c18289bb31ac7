// `loadtest uninstall`: takes the extension out of a cluster, after having said what that means.
import { Command } from "commander";
import { isNothing, planRemoval, type Removal } from "../fleet/removal.ts";
import { requireRights } from "../fleet/rights.ts";
import { uninstall } from "../fleet/uninstall.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { messageOf } from "../runtime/error-message.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { ask, canAsk } from "../runtime/question.ts";
import { stopSignal } from "../runtime/signals.ts";
import { timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { namespacedOption } from "./namespaced-option.ts";
import { outputOption } from "./output-option.ts";
import { removalLines } from "./removal-text.ts";
import { StepView } from "./step-view.ts";

interface Flags extends KubeFlags {
  namespaced?: string;
  keepKinds?: true;
  yes?: true;
  dryRun?: true;
  /** ns */
  timeout: number;
  output: "text" | "json";
}

const explanations = `
Everything goes, in an order in which no load is left behind: the webhooks, all
LoadTests with their Pods and results, Canaries, the kinds, the controller, its
Secrets and rights, its namespace. What that is on this cluster is listed, and
asked for; without a terminal to ask at, --yes must say it.
With --keep-kinds the kinds and all LoadTests, Canaries and results stay. Load
that is running is ended; with the next controller it goes on where its schedule
then is.
With --namespaced nothing in other namespaces is touched. The kinds go if nobody
else needs them: no other controller, no LoadTest or Canary elsewhere.
Events of LoadTests stay until they expire, after an hour on most clusters.
`;

export function uninstallCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("uninstall")
      .description("take the extension out of a cluster, with its LoadTests and their load")
      .addOption(namespacedOption("the controller of this namespace alone, and what it looks after"))
      .option("--keep-kinds", "leave the kinds, and all LoadTests, Canaries and results")
      .option("-y, --yes", "do not ask")
      .option("--dry-run", "say what would be deleted, and delete nothing")
      .addOption(timeoutOption("for each step to be over", "2m")),
  )
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => take(command.opts<Flags>()) };
}

async function take(flags: Flags): Promise<ExitCode> {
  const connection = await connectionFromFlags(flags);
  const client = new HttpKubeClient(connection);
  const { namespaced, keepKinds = false } = flags;
  const removal = await planRemoval(client, {
    ...(namespaced === undefined ? {} : { namespace: namespaced }),
    keepsKinds: keepKinds,
  });
  requireRights("Cannot uninstall", removal.missing);
  const list = removalLines(removal).map((line) => `  ${line}\n`);
  const isJson = flags.output === "json";
  if (isNothing(removal)) {
    writeErr(`There is nothing to uninstall at ${connection.serverUrl}.\n`);
    if (isJson) writeOut(formatJson(removal, { uninstalled: true }));
    return ExitCode.Passed;
  }
  if (flags.dryRun) {
    writeErr(`Would be deleted at ${connection.serverUrl}:\n`);
    writeOut(isJson ? formatJson(removal, { uninstalled: false, dryRun: true }) : list.join(""));
    return ExitCode.Passed;
  }
  if (!flags.yes) {
    writeErr(`This deletes at ${connection.serverUrl}:\n${list.join("")}`);
    if (!canAsk())
      throw new UsageError("Cannot ask whether to delete this: there is no terminal, must be told by --yes");
    if (!/^y(es)?$/i.test((await ask("Delete all of it? [y/N] ")).trim())) {
      writeErr("Nothing has been deleted.\n");
      return ExitCode.Failed;
    }
  }
  return carryOut(client, removal, flags);
}

async function carryOut(client: HttpKubeClient, removal: Removal, flags: Flags): Promise<ExitCode> {
  const isJson = flags.output === "json";
  const view = new StepView(!isJson);
  const startedNs = monotonicNs();
  let failure: unknown;
  try {
    await uninstall(client, removal, { timeoutMs: flags.timeout / 1e6, stop: stopSignal(), watcher: view });
  } catch (error: unknown) {
    failure = error;
  }
  view.end();
  const seconds = Math.round((monotonicNs() - startedNs) / 1e6) / 1e3;
  const error = failure === undefined ? {} : { error: messageOf(failure) };
  if (isJson)
    writeOut(formatJson(removal, { uninstalled: failure === undefined, seconds, ...error, objects: view.fates }));
  if (failure !== undefined) throw failure;
  const left = removal.keptKinds === undefined ? "Nothing of it is left" : `The kinds are left, ${removal.keptKinds}`;
  writeErr(`Uninstalled in ${seconds.toFixed(1)} s. ${left}.\n`);
  return ExitCode.Passed;
}

/** What was found comes first; who has it deleted by a program may want to know how much that was. */
function formatJson({ own, data, results, workers, keptKinds }: Removal, outcome: object): string {
  const keys = (objects: Removal["data"]) =>
    objects.map(({ kind, metadata: { namespace, name } }) => ({
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
    }));
  const found = {
    ...outcome,
    found: {
      extension: keys([...own.values()].flat()),
      data: keys(data),
      results: Object.fromEntries(results),
      workers: keys(workers),
    },
    ...(keptKinds === undefined ? {} : { keptKinds }),
  };
  return `${JSON.stringify(found, null, 2)}\n`;
}
