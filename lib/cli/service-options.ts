// What every process that runs for long has: health and metrics over HTTP, and a level of logging.
import { type Command, Option } from "commander";
import type { Registry } from "prom-client";
import { ports } from "../manifest/names.ts";
import { type HealthChecks, serveHealth } from "../runtime/health-server.ts";
import { type LogLevel, logLevels } from "../runtime/log.ts";
import { serveMetrics } from "../runtime/metrics-server.ts";
import { integerOption } from "./integer-option.ts";
import { listening } from "./listening.ts";

export interface ServiceFlags {
  healthPort: number;
  metricsPort: number;
  logLevel: LogLevel;
}

export const anyAddress = "0.0.0.0";

export function portOption(flags: string, description: string, preset: number): Option {
  return integerOption(flags, `${description}; 0 takes a free one`, 0, 65_535).default(preset);
}

export function addServiceFlags(command: Command): Command {
  return command
    .addOption(portOption("--health-port <n>", "port of /healthz and /readyz", ports.health))
    .addOption(portOption("--metrics-port <n>", "port of /metrics", ports.metrics))
    .addOption(new Option("--log-level <level>", "least level that is logged").choices(logLevels).default("info"));
}

export interface Services {
  /** The ports that were taken. */
  ports: { healthPort: number; metricsPort: number };
  stop(): Promise<void>;
}

/** Serves health and metrics. Rejects with the port and the reason when it cannot listen. */
export async function startServices(flags: ServiceFlags, checks: HealthChecks, registry: Registry): Promise<Services> {
  const health = await listening(anyAddress, flags.healthPort, (_, port) => serveHealth(port, checks));
  const metrics = await listening(anyAddress, flags.metricsPort, (_, port) => serveMetrics(port, registry));
  return {
    ports: { healthPort: health.port, metricsPort: metrics.port },
    stop: async () => {
      await Promise.all([health.stop(), metrics.stop()]);
    },
  };
}
