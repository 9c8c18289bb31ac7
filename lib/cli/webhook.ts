// `loadtest webhook`: the admission endpoint by itself, with a certificate from files. It needs no cluster, but
// for LoadTests that name Secrets.
import { Command } from "commander";
import { Registry } from "prom-client";
import { HttpKubeClient } from "../kube/http-client.ts";
import { isInCluster } from "../kube/in-cluster.ts";
import { secretAccess } from "../kube/secret-access.ts";
import { ports } from "../manifest/names.ts";
import { createLog } from "../runtime/log.ts";
import { stopSignal, untilAborted } from "../runtime/signals.ts";
import { type AdmissionOptions, startAdmission } from "../webhook/admission.ts";
import { type AdmissionFlags, addAdmissionFlags, callerRules, followFiles, refuseHalves } from "./admission-options.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { listening } from "./listening.ts";
import { addServiceFlags, anyAddress, portOption, type ServiceFlags, startServices } from "./service-options.ts";
import { version } from "./version.ts";

interface Flags extends AdmissionFlags, ServiceFlags, KubeFlags {
  host: string;
  port: number;
  plainHttp?: true;
}

export function webhookCommand(): Subcommand {
  const command = new Command("webhook")
    .description("judge and complete LoadTests and Canaries for the API server, as its admission webhooks")
    .addOption(portOption("--port <n>", "port to listen on", ports.admission))
    .option("--host <address>", "address to listen on", anyAddress)
    .option(
      "--kubeconfig <file>",
      "cluster to ask who may get the Secrets that LoadTests name (default: the Pod's own)",
    )
    .option("--context <name>", "the kubeconfig's context (default: its current one)")
    .option("--plain-http", "serve HTTP without TLS, in place of --cert-file and --key-file");
  addServiceFlags(addAdmissionFlags(command));
  return { command, run: () => serve(command.opts<Flags>()) };
}

async function serve(flags: Flags): Promise<ExitCode> {
  refuseContradictions(flags);
  const log = createLog("webhook", flags.logLevel);
  const stop = stopSignal(["SIGTERM", "SIGINT"]);
  const registry = new Registry();
  const access = await accessFrom(flags);
  const isPlain = flags.plainHttp === true;
  const admission = await listening(flags.host, flags.port, (hostname, port) =>
    startAdmission({ hostname, port, isPlain, caller: callerRules(flags), log, registry, ...access }),
  );
  const forgetFiles = followFiles(admission, flags, log);
  const services = await startServices(flags, { live: () => undefined, ready: () => admission.problem() }, registry);
  log.info({ version, port: admission.port, ...services.ports, tls: !isPlain }, "webhook started");
  await untilAborted(stop);
  const drainMs = flags.drain / 1e6;
  log.info({ signal: stop.reason, drainMs }, "webhook draining");
  await admission.drain(drainMs);
  forgetFiles();
  await services.stop();
  log.info({ signal: stop.reason }, "webhook stopped");
  return ExitCode.Passed;
}

/** Nobody to ask, unless there is a cluster: then LoadTests that name Secrets are refused, and all others judged. */
async function accessFrom(flags: Flags): Promise<Pick<AdmissionOptions, "mayGetSecret">> {
  if (flags.kubeconfig === undefined && flags.context === undefined && !isInCluster()) return {};
  return { mayGetSecret: secretAccess(new HttpKubeClient(await connectionFromFlags(flags))) };
}

function refuseContradictions(flags: Flags): void {
  const { certFile, keyFile, plainHttp, clientCaFile } = flags;
  const files = [certFile, keyFile].filter((file) => file !== undefined).length;
  if (plainHttp === true ? files > 0 : files < 2) {
    throw new UsageError("Cannot start the webhook: must have either --cert-file and --key-file, or --plain-http");
  }
  if (plainHttp === true && clientCaFile !== undefined) {
    throw new UsageError("Cannot use --client-ca-file beside --plain-http: there are no certificates without TLS");
  }
  refuseHalves(flags);
}
