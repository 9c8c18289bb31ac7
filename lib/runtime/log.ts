// Structured logs: one JSON object a line on stderr, written before the call returns, so that a crash loses none.
import pino from "pino";

export type Log = pino.Logger;

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger whose every line carries `component`. Values under secret-bearing keys are never written. */
export function createLog(component: string, level: LogLevel = "info"): Log {
  return pino(
    {
      level,
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ["*.token", "*.authorization", "*.key"],
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
