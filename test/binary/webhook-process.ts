// `loadtest webhook`, compiled, on free ports, with a certificate in a folder of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServingCertificate } from "../../lib/webhook/certificate.ts";
import { Client } from "../webhook/client.ts";
import { binary, linesOf } from "./process.ts";

export interface WebhookProcess {
  port: number;
  pid: number;
  /** Every line of its log so far, the last ones maybe not yet. */
  logged: Record<string, unknown>[];
  exited: Promise<number>;
  /** The signal that ended it. */
  readonly endedBy: NodeJS.Signals | number | null;
  kill(signal?: NodeJS.Signals): void;
  open(certPem?: string): Promise<Client>;
  /** Status and text of the health or the metrics server. */
  read(path: "/readyz" | "/healthz" | "/metrics"): Promise<{ status: number; text: string }>;
  /** Resident memory. */
  rssBytes(): number;
}

/** A folder with `tls.crt` and `tls.key`; gone after `use`. */
export async function withCertificate<T>(
  { certPem, keyPem }: ServingCertificate,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  writeFileSync(join(folder, "tls.crt"), certPem);
  writeFileSync(join(folder, "tls.key"), keyPem);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function certificateFlags(folder: string): string[] {
  return ["--cert-file", join(folder, "tls.crt"), "--key-file", join(folder, "tls.key")];
}

export const freePorts = ["--port", "0", "--health-port", "0", "--metrics-port", "0"];

/** Resolves when it says that it has started. Rejects with what it said when it ends instead. */
export async function startWebhook(args: readonly string[]): Promise<WebhookProcess> {
  const child = Bun.spawn([binary, "webhook", ...freePorts, ...args], { stdout: "ignore", stderr: "pipe" });
  const lines = linesOf(child.stderr);
  const logged: Record<string, unknown>[] = [];
  while (logged.at(-1)?.["msg"] !== "webhook started") {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`it ended: ${JSON.stringify(logged)}`);
    logged.push(JSON.parse(value));
  }
  const { port, healthPort, metricsPort } = logged.at(-1) as Record<"port" | "healthPort" | "metricsPort", number>;
  const readOn = async () => {
    for await (const line of lines) logged.push(JSON.parse(line));
  };
  void readOn();
  return {
    port,
    pid: child.pid,
    logged,
    exited: child.exited,
    get endedBy() {
      return child.signalCode;
    },
    kill: (signal = "SIGKILL") => child.kill(signal),
    open: (certPem) => Client.open(port, certPem === undefined ? undefined : { ca: certPem }),
    read: async (path) => {
      const response = await fetch(`http://127.0.0.1:${path === "/metrics" ? metricsPort : healthPort}${path}`);
      return { status: response.status, text: await response.text() };
    },
    rssBytes: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]),
  };
}
