// `loadtest controller`: the reconcile loop, in a Pod or anywhere with a kubeconfig.
import { Command, InvalidArgumentError, Option } from "commander";
import { serveHealth } from "../controller/health.ts";
import { type LoopHealth, runLoop } from "../controller/loop.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import { highestRate } from "../load/rate-curve.ts";
import { parseDuration } from "../loadtest/duration.ts";
import { healthPort } from "../manifest/controller.ts";
import { createLog, type LogLevel, logLevels } from "../runtime/log.ts";
import { environment } from "../runtime/process.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { integerOption } from "./integer-option.ts";
import { addKubeFlags, connectionFromFlags, type KubeFlags } from "./kube-flags.ts";
import { version } from "./version.ts";

interface Flags extends KubeFlags {
  workerImage?: string;
  maxRate: number;
  pollInterval: number;
  healthPort: number;
  logLevel: LogLevel;
}

export function controllerCommand(): Subcommand {
  const command = addKubeFlags(
    new Command("controller").description("make and keep the worker Pods of LoadTests"),
    "look after this namespace only (default: all)",
  )
    .option("--worker-image <image>", "image of the worker Pods (default: $LOADTEST_IMAGE)")
    .addOption(
      integerOption("--max-rate <n>", "highest requests per second a LoadTest may ask for", 1, highestRate).default(
        highestRate,
      ),
    )
    .addOption(
      new Option("--poll-interval <duration>", "between two looks at the cluster, from 100ms to 10m")
        .argParser(parsePollInterval)
        .default(2000, "2s"),
    )
    .addOption(
      integerOption("--health-port <n>", "port of /healthz and /readyz; 0 takes a free one", 0, 65535).default(
        healthPort,
      ),
    )
    .addOption(new Option("--log-level <level>", "least level that is logged").choices(logLevels).default("info"));
  return { command, run: () => control(command.opts<Flags>()) };
}

async function control(flags: Flags): Promise<ExitCode> {
  const workerImage = flags.workerImage ?? environment("LOADTEST_IMAGE");
  if (workerImage === undefined) {
    throw new UsageError("Cannot start the controller: --worker-image is missing, must be an image of this program");
  }
  const log = createLog("controller", flags.logLevel);
  const connection = await connectionFromFlags(flags);
  const stop = stopSignal();
  const health: LoopHealth = { passedAtMs: 0 };
  const server = serveHealth(flags.healthPort, health);
  const scope = flags.namespace === undefined ? {} : { namespace: flags.namespace };
  log.info(
    { version, server: connection.serverUrl, workerImage, healthPort: server.port, ...scope },
    "controller started",
  );
  const options = {
    workerImage,
    maxRequestsPerSecond: flags.maxRate,
    pollIntervalMs: flags.pollInterval,
    ...scope,
  };
  await runLoop(new HttpKubeClient(connection), options, health, log, stop);
  await server.stop();
  log.info({ signal: stop.reason }, "controller stopped");
  return ExitCode.Passed;
}

function parsePollInterval(text: string): number {
  const ms = (parseDuration(text) ?? 0) / 1e6;
  if (ms >= 100 && ms <= 600_000) return ms;
  throw new InvalidArgumentError("It must be a duration from 100ms to 10m, such as 2s.");
}
