// `loadtest install`: brings the extension into a cluster, or says what that would be.
import { join } from "node:path";
import { Command, Option } from "commander";
import { install } from "../fleet/install.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { defaultReplicas } from "../manifest/controller.ts";
import { type ExtensionOptions, extensionSteps, type Placement } from "../manifest/extension.ts";
import { kustomizeBase } from "../manifest/kustomize.ts";
import { extensionNamespace } from "../manifest/names.ts";
import { renderYaml } from "../manifest/yaml.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { messageOf } from "../runtime/error-message.ts";
import { makeFolder, writeTextFile } from "../runtime/files.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { environment } from "../runtime/process.ts";
import { stopSignal } from "../runtime/signals.ts";
import { timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { placeOf } from "./controller-admission.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { integerOption } from "./integer-option.ts";
import { addClusterFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { namespacedOption } from "./namespaced-option.ts";
import { outputOption } from "./output-option.ts";
import { countFates, StepView } from "./step-view.ts";

interface Flags extends KubeFlags {
  image?: string;
  replicas?: number;
  namespaced?: string;
  outOfCluster?: string;
  dryRun?: true;
  print?: true;
  kustomize?: string;
  forceConflicts?: true;
  acceptBreakingKinds?: true;
  /** ns */
  timeout: number;
  output: "text" | "json";
}

const explanations = `
What happens, in this order, each step at work before the next one begins:
  preparation  your rights are looked at, and everything is tried in a dry run:
               nothing is changed while anything stands in the way
  namespace    ${extensionNamespace}
  kinds        LoadTest, Canary and LoadTestResult
  rights       the controller's account and roles, and policies on the Pods and
               Services that it makes and deletes
  belongings   its Secrets, Lease and Service, which it may not make itself
  controller   the Deployment, until all its replicas are available
  webhooks     registered, but failing open
  certificate  the controller makes it, and has the API server trust it
  probe        a good and a bad object, in a dry run: both webhooks must answer
  closing      from now on nothing is stored that could not be judged
Doing it again changes nothing that is as it should be, goes on from wherever it
was ended, and never opens a webhook that fails closed. To upgrade, install the
new version in the same way.

A kind that would break stored objects or clients is refused, field by field.
Fields that others have set are named, with who it was.
The image is one of this program, as scripts/image makes it, that nodes can pull.
`;

export function installCommand(): Subcommand {
  const command = addClusterFlags(
    new Command("install")
      .description("bring the extension into a cluster: kinds, controller and webhooks; or write it as YAML")
      .option("--image <image>", "of the controller and its workers (default: $LOADTEST_IMAGE)")
      .addOption(
        integerOption(
          "--replicas <n>",
          `controllers, of which one acts and all admit (default: ${defaultReplicas})`,
          1,
          100,
        ).conflicts("outOfCluster"),
      )
      .addOption(
        namespacedOption(
          "for this namespace alone, which must be there: with Roles instead of ClusterRoles, without webhooks",
        ).conflicts("outOfCluster"),
      )
      .option("--out-of-cluster <url>", "for a controller that runs elsewhere and serves the webhooks at this URL")
      .option("--dry-run", "say what would become of each object, and change nothing")
      .addOption(
        new Option("--print", "write YAML to stdout, in the order of applying, and ask no cluster").conflicts("dryRun"),
      )
      .addOption(
        new Option("--kustomize <folder>", "write a kustomize base there, and ask no cluster").conflicts([
          "dryRun",
          "print",
        ]),
      )
      .option("--force-conflicts", "take fields that others have set")
      .option("--accept-breaking-kinds", "replace kinds even if stored objects or clients break")
      .addOption(timeoutOption("for each step to be at work", "2m")),
  )
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => bring(command.opts<Flags>()) };
}

async function bring(flags: Flags): Promise<ExitCode> {
  const extension = extensionOf(flags);
  if (flags.print) {
    writeOut(renderYaml(extensionSteps(extension).flatMap(({ objects }) => objects)));
    return ExitCode.Passed;
  }
  if (flags.kustomize !== undefined) {
    writeBase(flags.kustomize, extension);
    return ExitCode.Passed;
  }
  const client = new HttpKubeClient(await connectionFromFlags(flags));
  const view = new StepView(flags.output === "text");
  const startedNs = monotonicNs();
  let failure: unknown;
  try {
    await install(client, {
      extension,
      dryRun: flags.dryRun ?? false,
      force: flags.forceConflicts ?? false,
      acceptsBreakingKinds: flags.acceptBreakingKinds ?? false,
      timeoutMs: flags.timeout / 1e6,
      stop: stopSignal(),
      watcher: view,
    });
  } catch (error: unknown) {
    failure = error;
  }
  view.end();
  const seconds = (monotonicNs() - startedNs) / 1e9;
  if (flags.output === "json") writeOut(formatJson(flags, view, seconds, failure));
  if (failure !== undefined) throw failure;
  writeErr(
    `${flags.dryRun ? "A dry run, nothing is changed" : `Installed in ${seconds.toFixed(1)} s`}: ${countFates(view.fates)}.\n`,
  );
  return ExitCode.Passed;
}

function extensionOf(flags: Flags): ExtensionOptions {
  const image = flags.image ?? environment("LOADTEST_IMAGE");
  if (image === undefined) {
    throw new UsageError(
      "Cannot install: --image is missing, must be an image of this program that the cluster can pull",
    );
  }
  if (!/^[^\s'"\\]+$/.test(image))
    throw new UsageError(`Cannot install image "${image}": must be a name without spaces and quotes`);
  return { image, replicas: flags.replicas ?? defaultReplicas, placement: placementOf(flags) };
}

function placementOf({ namespaced, outOfCluster }: Flags): Placement {
  if (namespaced !== undefined) return { kind: "namespaced", namespace: namespaced };
  if (outOfCluster === undefined) return { kind: "cluster" };
  return { kind: "outOfCluster", url: placeOf(outOfCluster).url?.text ?? outOfCluster };
}

function writeBase(folder: string, extension: ExtensionOptions): void {
  makeFolder(folder);
  for (const [name, text] of Object.entries(kustomizeBase(extension))) writeTextFile(join(folder, name), text);
  writeErr(`Written to ${folder}; apply it with kubectl apply --server-side -k ${folder}\n`);
}

function formatJson(flags: Flags, { fates }: StepView, seconds: number, failure: unknown): string {
  const dryRun = flags.dryRun ?? false;
  const summary = {
    installed: failure === undefined && !dryRun,
    dryRun,
    seconds: Math.round(seconds * 1000) / 1000,
    ...(failure === undefined ? {} : { error: messageOf(failure) }),
    objects: fates,
  };
  return `${JSON.stringify(summary, null, 2)}\n`;
}
