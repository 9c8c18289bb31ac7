// `loadtest diff`: what differs between clusters, and from what this program would install. Nothing is changed.
import { Command, Option } from "commander";
import { onClusters } from "../fleet/clusters.ts";
import { type ClusterReport, diffOf, exitCodeOf, type FleetDiff } from "../fleet/diff.ts";
import { type Inspection, inspect, type WantedState } from "../fleet/inspection.ts";
import type { WantedInstallation } from "../fleet/installation.ts";
import { driftTable } from "../report/drift-table.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import { timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { placeOf } from "./controller-admission.ts";
import { ExitCode } from "./exit-code.ts";
import { addFleetFlags, contextsOf, type FleetFlags, fleetOptions, readFleetFile } from "./fleet-options.ts";
import { integerOption } from "./integer-option.ts";
import { namespacedOption } from "./namespaced-option.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends FleetFlags {
  filename?: string;
  image?: string;
  replicas?: number;
  namespaced?: string;
  outOfCluster?: string;
  output: "text" | "json";
}

const explanations = `
Compared are kinds, rights, Deployment, webhooks, policies and Services: each
object as it is with what the API server would make of this program's own, in a
dry run. So defaults are no difference, and what others have added is one. Of
webhooks it is asked whether they trust what is served, not which authority that
is. Objects in the extension's name that are none of this version, and bindings
that give its account more rights, are differences too.
Where an installation has a choice (image, replicas, where the controller is)
it is held to the options or the file; without them to the first cluster.

Exit code 0: all is the same. 1: something differs. 2: something could not be
looked at, which is never called the same; whatever could be is shown.
`;

export function diffCommand(): Subcommand {
  const alone = ["image", "replicas", "namespaced", "outOfCluster"];
  const command = addFleetFlags(
    new Command("diff").description("say what differs between clusters, and from what this program would install"),
    "those of the file, else the current one",
    timeoutOption("for all that is asked of one cluster", "30s"),
  )
    .addOption(new Option("-f, --filename <file>", "fleet file, as for sync; - is stdin").conflicts(alone))
    .option("--image <image>", "that the controllers and workers must run")
    .addOption(integerOption("--replicas <n>", "controllers that there must be", 1, 100).conflicts("outOfCluster"))
    .addOption(namespacedOption("where the controller must be, for this namespace alone").conflicts("outOfCluster"))
    .option("--out-of-cluster <url>", "where a controller that runs elsewhere must serve the webhooks")
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => compare(command.opts<Flags>()) };
}

async function compare(flags: Flags): Promise<ExitCode> {
  const { contexts, wanted } = await scopeOf(flags);
  const options = fleetOptions(flags, contexts, stopSignal());
  const outcomes = await onClusters<Inspection>(options, (cluster) => inspect(cluster, wanted(cluster.context)));
  const diff = diffOf(outcomes);
  if (flags.output === "json") writeOut(`${JSON.stringify({ same: sameness(diff), ...diff }, null, 2)}\n`);
  else print(diff, flags);
  return exitCodes[exitCodeOf(diff)];
}

const exitCodes = [ExitCode.Passed, ExitCode.Differs, ExitCode.CouldNotTell] as const;

async function scopeOf(flags: Flags): Promise<{ contexts: string[]; wanted: (context: string) => WantedState }> {
  if (flags.filename === undefined) {
    const installation = installationOf(flags);
    return { contexts: flags.contexts ?? [], wanted: () => ({ installation, objects: [] }) };
  }
  const fleet = await readFleetFile(flags.filename);
  return {
    contexts: contextsOf(flags, fleet),
    wanted: (context) => {
      const { extension = {}, objects = [] } = fleet.clusters.get(context) ?? {};
      return { installation: extension, objects };
    },
  };
}

function installationOf({ image, replicas, namespaced, outOfCluster }: Flags): WantedInstallation {
  return {
    ...(image === undefined ? {} : { image }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(namespaced === undefined ? {} : { placement: { kind: "namespaced", namespace: namespaced } }),
    ...(outOfCluster === undefined
      ? {}
      : { placement: { kind: "outOfCluster", url: placeOf(outOfCluster).url?.text ?? outOfCluster } }),
  };
}

/** null: it could not be told. */
function sameness(diff: FleetDiff): boolean | null {
  return [true, false, null][exitCodeOf(diff)] as boolean | null;
}

function print(diff: FleetDiff, flags: Flags): void {
  for (const line of driftTable(diff.differences)) writeOut(`${line}\n`);
  for (const report of diff.clusters) {
    const { context, error, doubts } = report;
    const count = diff.differences.filter((difference) => difference.context === context).length;
    const words = error === undefined ? summaryOf(report, count) : `could not be looked at: ${error}`;
    writeErr(`${context}: ${words}\n`);
    for (const { object, reason } of doubts) writeErr(`${context}: could not look at ${object}: ${reason}\n`);
  }
  if (flags.filename !== undefined || diff.clusters.every(({ installation }) => installation === undefined)) return;
  const untold = [
    ...(flags.image === undefined ? ["image"] : []),
    ...(flags.replicas === undefined && flags.outOfCluster === undefined ? ["replicas"] : []),
    ...(flags.namespaced === undefined && flags.outOfCluster === undefined ? ["placement"] : []),
  ];
  if (untold.length > 0)
    writeErr(`Of ${untold.join(", ")} nothing was told: as found is as wanted, if it is so on all.\n`);
}

function summaryOf({ state, version, installation = {} }: ClusterReport, count: number): string {
  const { placement, image, replicas } = installation;
  const verdict = {
    same: "the same",
    differs: count === 1 ? "1 difference" : `${count} differences`,
    unknown: "not known to be the same",
  }[state];
  return [
    verdict,
    `Kubernetes ${version}`,
    ...(placement === undefined ? ["no controller found"] : [`controller ${placement}`]),
    ...(image === undefined ? [] : [`image ${image}`]),
    ...(replicas === undefined ? [] : [replicas === 1 ? "1 replica" : `${replicas} replicas`]),
  ].join(", ");
}
