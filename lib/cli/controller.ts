// `loadtest controller`: the reconcile loop and the admission endpoint, in a Pod or anywhere with a kubeconfig.
import { Command, Option } from "commander";
import { Registry } from "prom-client";
import { Leader } from "../controller/leader.ts";
import { type LoopHealth, type LoopOptions, runLoop, stuckFor } from "../controller/loop.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { isInCluster } from "../kube/in-cluster.ts";
import { secretAccess } from "../kube/secret-access.ts";
import { watchCounters } from "../kube/watch-metrics.ts";
import { highestRate } from "../load/rate-curve.ts";
import { extensionNamespace, leaderLease, ports } from "../manifest/names.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { environment } from "../runtime/process.ts";
import { stopSignal, untilAborted } from "../runtime/signals.ts";
import { startAdmission } from "../webhook/admission.ts";
import { type AdmissionFlags, addAdmissionFlags, callerRules, followFiles, refuseHalves } from "./admission-options.ts";
import type { Subcommand } from "./cli.ts";
import { behindService, lookAfterCertificate, newIdentity, type Place, placeOf } from "./controller-admission.ts";
import { parseDurationFlag } from "./duration-option.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { integerOption } from "./integer-option.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { listening } from "./listening.ts";
import { addServiceFlags, anyAddress, portOption, type ServiceFlags, startServices } from "./service-options.ts";
import { version } from "./version.ts";

interface Flags extends KubeFlags, AdmissionFlags, ServiceFlags {
  workerImage?: string;
  maxRate: number;
  /** ns */
  pollInterval?: number;
  watch: boolean;
  leaderElect?: true;
  admission: boolean;
  webhookUrl?: string;
  admissionPort: number;
}

export function controllerCommand(): Subcommand {
  const command = addKubeFlags(
    new Command("controller").description(
      "make and keep the worker Pods of LoadTests, and judge LoadTests and Canaries",
    ),
    "look after this namespace only, and keep the Lease there (default: all)",
  )
    .option("--worker-image <image>", "image of the worker Pods (default: $LOADTEST_IMAGE)")
    .addOption(
      integerOption("--max-rate <n>", "highest requests per second a LoadTest may ask for", 1, highestRate).default(
        highestRate,
      ),
    )
    .addOption(
      new Option(
        "--poll-interval <duration>",
        "between two looks at everything, from 100ms to 10m (default: 30s while the watches are alive, up to 2m where a look takes long; 5s otherwise)",
      ).argParser(parseDurationFlag("100ms", "10m")),
    )
    .option("--no-watch", "do not watch for changes, see them at the next look")
    .option("--leader-elect", `act only while holding the Lease ${leaderLease}, of several controllers`)
    .option("--no-admission", "do not serve the admission webhooks, as is done in a Pod for all namespaces")
    .option("--webhook-url <url>", "serve the admission webhooks outside the cluster, where API servers find this URL")
    .addOption(
      portOption(
        "--admission-port <n>",
        "port that the admission webhooks listen on, whatever port their URL has",
        ports.admission,
      ),
    );
  addServiceFlags(addAdmissionFlags(command));
  return { command, run: () => control(command.opts<Flags>()) };
}

async function control(flags: Flags): Promise<ExitCode> {
  const workerImage = flags.workerImage ?? environment("LOADTEST_IMAGE");
  if (workerImage === undefined) {
    throw new UsageError("Cannot start the controller: --worker-image is missing, must be an image of this program");
  }
  refuseHalves(flags);
  const place = admissionPlace(flags);
  const log = createLog("controller", flags.logLevel);
  const connection = await connectionFromFlags(flags);
  const client = new HttpKubeClient(connection);
  const stop = stopSignal(["SIGTERM", "SIGINT"]);
  const registry = new Registry();
  const identity = newIdentity();
  const leader = flags.leaderElect
    ? new Leader(client, { namespace: flags.namespace ?? extensionNamespace, name: leaderLease }, identity, log)
    : undefined;
  const mayAct = () => leader?.isLeading ?? true;

  const loopHealth: LoopHealth = { passedAtNs: undefined };
  const admission =
    place &&
    (await listening(anyAddress, flags.admissionPort, (hostname, port) =>
      startAdmission({
        hostname,
        port,
        caller: callerRules(flags),
        log,
        registry,
        mayGetSecret: secretAccess(client),
      }),
    ));
  const forgetFiles = admission && followFiles(admission, flags, log);
  const startedAtNs = monotonicNs();
  const checks = {
    live: () => stuckFor(loopHealth, startedAtNs),
    ready: () => (loopHealth.passedAtNs === undefined ? "no pass yet" : admission?.problem()),
  };
  const services = await startServices(flags, checks, registry);
  const scope = flags.namespace === undefined ? {} : { namespace: flags.namespace };
  const served = admission === undefined ? {} : { admissionPort: admission.port };
  log.info(
    { version, server: connection.serverUrl, workerImage, ...services.ports, ...served, ...scope },
    "controller started",
  );
  const watches = watchCounters(registry);
  const options = {
    workerImage,
    maxRequestsPerSecond: flags.maxRate,
    pollIntervalMs: pollIntervals(flags),
    isWatching: flags.watch,
    identity,
    mayAct,
    registry,
    watchCounters: watches,
    ...scope,
  };
  const watched = flags.watch ? { watchCounters: watches } : {};
  await Promise.all([
    leader?.run(stop),
    runLoop(client, options, loopHealth, log, stop),
    admission &&
      place !== "files" &&
      lookAfterCertificate({ client, admission, place, identity, mayAct, registry, ...watched, log }, stop),
    admission && untilAborted(stop).then(() => admission.drain(flags.drain / 1e6)),
  ]);
  forgetFiles?.();
  await services.stop();
  log.info({ signal: stop.reason }, "controller stopped");
  return ExitCode.Passed;
}

/**
 * Where admission is served: nowhere, or with certificates from files, wherever that is, or with one that the controller
 * makes for its place. In a Pod, for all namespaces, that is behind the Service; elsewhere it has to be asked for.
 */
function admissionPlace({
  kubeconfig,
  namespace,
  webhookUrl,
  admission,
  certFile,
}: Flags): Place | "files" | undefined {
  if (!admission) return undefined;
  if (certFile !== undefined) {
    if (webhookUrl === undefined) return "files";
    throw new UsageError("Cannot use --webhook-url beside --cert-file: the certificate is looked after elsewhere");
  }
  if (webhookUrl !== undefined) return placeOf(webhookUrl);
  return kubeconfig === undefined && namespace === undefined && isInCluster() ? behindService : undefined;
}

function pollIntervals({ pollInterval }: Flags): LoopOptions["pollIntervalMs"] {
  if (pollInterval === undefined) return { watched: 30_000, unwatched: 5_000, longest: 120_000 };
  const intervalMs = pollInterval / 1e6;
  return { watched: intervalMs, unwatched: intervalMs, longest: intervalMs };
}
