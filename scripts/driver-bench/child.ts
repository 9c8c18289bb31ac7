// Child processes on a core of their own. None outlives this process, its time limit or a stop, however those come.
import { readdirSync, readFileSync } from "node:fs";
import { sleep } from "../../lib/runtime/clock.ts";

export interface Bounds {
  core: number;
  /** Where its temporary files go, so that they are removed with those of the benchmark. */
  folder: string;
  stop: AbortSignal;
  limitSeconds: number;
}

export type Child = Bun.Subprocess<"ignore", "pipe", "pipe">;

/** The kernel kills what runs after these words together with the process that started it. */
export const dieWithParent = ["setpriv", "--pdeathsig", "KILL"] as const;

/** Starts the command, and with it all processes that it starts in turn, on one core. */
export function startOnCore(command: readonly string[], bounds: Bounds): Child {
  return Bun.spawn(pinned(command, bounds), { stdin: "ignore", stdout: "pipe", stderr: "pipe", ...options(bounds) });
}

/** The same on a terminal that nobody looks at, with stdout in a file. */
export function startOnTerminal(command: readonly string[], stdoutFile: string, bounds: Bounds): Bun.Subprocess {
  const redirected = ["sh", "-c", 'exec "$@" >"$0"', stdoutFile, ...command];
  return Bun.spawn(pinned(redirected, bounds), { terminal: { cols: 120, rows: 40, data() {} }, ...options(bounds) });
}

function pinned(command: readonly string[], { core }: Bounds): string[] {
  return [...dieWithParent, "taskset", "-c", String(core), ...command];
}

function options({ folder, stop, limitSeconds }: Bounds) {
  const env = { ...process.env, TMPDIR: folder };
  return { env, signal: stop, timeout: limitSeconds * 1e3, killSignal: "SIGKILL" } as const;
}

/** Kills the child and waits until it is gone. */
export async function endChild(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

/** The processes that `pid` has started and not yet waited for. */
export function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) => {
    const pids = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
    return pids === "" ? [] : pids.split(" ").map(Number);
  });
}

/** Stops a process for about `seconds`, shorter when `ended` comes; resolves with how long it really was, seconds. */
export async function freeze(pid: number, seconds: number, ended: AbortSignal): Promise<number> {
  if (ended.aborted || !signalIfAlive(pid, "SIGSTOP")) return 0;
  const startNs = Bun.nanoseconds();
  await sleep(seconds * 1e3, ended);
  signalIfAlive(pid, "SIGCONT");
  return (Bun.nanoseconds() - startNs) / 1e9;
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
