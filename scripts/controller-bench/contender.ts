// A controller under measurement: its process, what that uses, and what it has asked of the API server.
import { readFileSync } from "node:fs";
import { dieWithParent, endChild } from "../driver-bench/child.ts";

export interface Contender {
  name: string;
  /** With the kubeconfig in KUBECONFIG; serves its metrics on the port. */
  command: (metricsPort: number) => readonly string[];
  /** The family of its metrics that counts calls to the API server. */
  callsMetric: string;
}

export function ours(binary: string, name = "loadtest", flags: readonly string[] = []): Contender {
  return {
    name,
    command: (metricsPort) => [
      ...[binary, "controller", "--worker-image", "localhost/loadtest:bench", "--no-admission", "--log-level", "warn"],
      ...["--health-port", "0", "--metrics-port", String(metricsPort), ...flags],
    ],
    callsMetric: "loadtest_api_calls",
  };
}

/** A controller-runtime controller that makes one gated Pod for each LoadTest; ten workers, and no limit of its own. */
export function controllerRuntime(path: string): Contender {
  return {
    name: "controller-runtime",
    command: (metricsPort) => [
      ...[path, "--max-concurrent-reconciles", "10", "--qps", "-1"],
      ...["--metrics-bind-address", `127.0.0.1:${metricsPort}`],
    ],
    callsMetric: "rest_client_requests_total",
  };
}

export interface Usage {
  cpuSeconds: number;
  residentBytes: number;
}

export class RunningController {
  readonly #contender: Contender;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "inherit">;
  readonly #metricsPort: number;

  constructor(contender: Contender, kubeconfig: string, stop: AbortSignal) {
    this.#contender = contender;
    this.#metricsPort = freePort();
    this.#process = Bun.spawn([...dieWithParent, ...contender.command(this.#metricsPort)], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      stdin: "ignore",
      stdout: "ignore",
      stderr: process.env["BENCH_VERBOSE"] ? "inherit" : "ignore",
      signal: stop,
      killSignal: "SIGKILL",
    }) as Bun.Subprocess<"ignore", "ignore", "inherit">;
  }

  usage(): Usage {
    return usageOf(this.#process.pid);
  }

  /** Calls to the API server so far, Leases aside. */
  async calls(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`);
    return sumOfMetric(await response.text(), this.#contender.callsMetric);
  }

  end(): Promise<void> {
    return endChild(this.#process);
  }
}

/** All samples of a family in the Prometheus text format, but for those about Leases. */
export function sumOfMetric(text: string, family: string): number {
  const samples = text.split("\n").filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `));
  return samples
    .filter((line) => !line.includes('resource="leases"'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

const ticksPerSecond = 100;

function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    residentBytes: Number(resident) * 1024,
  };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
