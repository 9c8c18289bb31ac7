// The processes of our own test cluster, to be stopped, frozen and started again: scripts/cluster starts each with its
// program's path below the cluster's directory as argv[0], which tells them from all others.
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { kubeconfig } from "./kubectl.ts";

export type ComponentName = "etcd" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kubelet";

const state = dirname(kubeconfig);
/** Whether the cluster under test is ours to disturb. */
export const isOwnCluster = kubeconfig !== "" && existsSync(join(state, "bin/kube-apiserver"));

/** Where our own kubelet keeps a file of a Pod's volume. */
export function volumeFile(uid: string, volume: string, name: string): string {
  return join(state, "kubelet/pods", uid, "volumes", volume, name);
}

/** The command lines of what runs now, by program. */
function commands(): Map<string, { pid: number; argv: string[] }> {
  const running = readdirSync("/proc").flatMap((pid) => {
    const argv = argvOf(pid);
    return argv[0]?.startsWith(`${state}/bin/`) ? [[basename(argv[0]), { pid: Number(pid), argv }] as const] : [];
  });
  return new Map(running);
}

function argvOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return []; // no process, or none any more
  }
}

function start(argv: readonly string[]): void {
  const log = openSync(join(state, "logs", `${basename(argv[0] as string)}.log`), "a");
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, HOME: "/" };
  Bun.spawn(["setsid", ...argv], { env, stdin: "ignore", stdout: log, stderr: log }).unref();
  closeSync(log);
}

export class Components {
  readonly #initial = commands();

  signal(name: ComponentName, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    const { pid } = commands().get(name) as { pid: number };
    process.kill(pid, signal);
  }

  /** Starts those that do not run any more, as they were started at first. */
  async revive(): Promise<void> {
    await Bun.sleep(100); // one that was killed is there for a moment
    const running = commands();
    for (const [name, { argv }] of this.#initial) if (!running.has(name) && name !== "kubectl") start(argv);
  }
}
