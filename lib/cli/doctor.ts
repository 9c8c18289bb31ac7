// `loadtest doctor`: everything that can be wrong with the extension on a cluster, or on several, with its remedy.
import { Command } from "commander";
import { type Finding, failure } from "../cert/finding.ts";
import { type Cluster, onClusters } from "../fleet/clusters.ts";
import { examineCluster } from "../fleet/doctor/examination.ts";
import { sleep } from "../runtime/clock.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import { timeoutOption } from "./cert-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { countFindings, formatFindings, isHealthy } from "./finding-text.ts";
import { contextsOption } from "./fleet-options.ts";
import { addKubeFlags, connectionOptions, type KubeFlags } from "./kube-flags.ts";
import { outputOption } from "./output-option.ts";

interface Flags extends KubeFlags {
  contexts?: string[];
  /** ns */
  timeout: number;
  output: "text" | "json";
}

/** What one cluster may take longer for the words about what it did not say in time. */
const graceMs = 1000;

const explanations = `
Looked at are, of each cluster: version, clock and nodes; your rights, and each
right of the controller's account; kinds, webhooks and certificates, down to a
handshake; the Deployment, its Pods, their image and who leads; dry runs of good
and bad objects and of worker Pods; deletions that are stuck, orphaned workers
and workers in trouble; Pod Security and quotas. Which form of the extension is
there is found out. Nothing is changed: what is created is not stored.

Each finding is OK, a warning or a failure, with what to do about it. Exit code
1 with a failure, also when a cluster does not answer: the others are shown.
`;

export function doctorCommand(): Subcommand {
  const command = addKubeFlags(
    new Command("doctor")
      .description("say what is wrong with the extension on one or several clusters, and what to do about it")
      .addOption(contextsOption("that of --context, else its current one").conflicts("context")),
    "where the dry runs are made (default: the context's)",
  )
    .addOption(timeoutOption("for all that is asked of one cluster", "30s"))
    .addOption(outputOption())
    .addHelpText("after", explanations);
  return { command, run: () => diagnose(command.opts<Flags>()) };
}

async function diagnose(flags: Flags): Promise<ExitCode> {
  const { contexts = flags.context === undefined ? [] : [flags.context], timeout, output } = flags;
  if (contexts.length > 1 && flags.server !== undefined) {
    throw new UsageError("Cannot look at several contexts: --server names one API server, must be absent");
  }
  const { kubeconfig, context: _, ...overrides } = connectionOptions(flags);
  const timeoutMs = timeout / 1e6;
  const outcomes = await onClusters(
    {
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      overrides,
      contexts,
      deadlineMs: timeoutMs + graceMs,
      stop: stopSignal(),
    },
    (cluster) => examineInTime(cluster, timeoutMs),
  );
  const diagnoses = outcomes.map((outcome) => {
    const findings = "value" in outcome ? outcome.value : [unreachable(outcome.error)];
    return { context: outcome.context, healthy: isHealthy(findings), findings };
  });
  const healthy = diagnoses.every((diagnosis) => diagnosis.healthy);
  if (output === "json") writeOut(`${JSON.stringify({ healthy, clusters: diagnoses }, null, 2)}\n`);
  else {
    for (const { context, findings } of diagnoses) {
      if (contexts.length > 1) writeOut(`${context}\n`);
      writeOut(formatFindings(findings));
      writeErr(`${contexts.length > 1 ? `${context}: ` : ""}${countFindings(findings)}\n`);
      if (contexts.length > 1) writeOut("\n");
    }
  }
  return healthy ? ExitCode.Passed : ExitCode.Failed;
}

async function examineInTime(cluster: Cluster, timeoutMs: number): Promise<Finding[]> {
  const { client, namespace, certificateAuthority: kubeconfigCa } = cluster;
  const late = new AbortController();
  const done = new AbortController();
  void sleep(timeoutMs, AbortSignal.any([done.signal, cluster.signal])).then(() => late.abort());
  try {
    return await examineCluster({ client, namespace, kubeconfigCa }, late.signal);
  } finally {
    done.abort();
  }
}

function unreachable(error: string): Finding {
  return failure("API server", error, "see that it runs, and that the kubeconfig's context is right");
}
