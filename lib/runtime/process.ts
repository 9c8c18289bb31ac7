// What this process is and uses: its command line, its environment, its CPU time.
import { readFileSync } from "node:fs";

/** The command that starts this program again: the compiled binary alone, or Bun with the entry file. */
export function selfCommand(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** An environment variable; undefined when unset or empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** CPU time of this process so far, user and system, all threads, ns. */
export function cpuUsedNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

/** For how long the CPU limit of this process's cgroup has kept it from running so far, ns; 0 where none is known. */
export function cpuThrottledNs(): number {
  const folder = /^0::(\/.*)$/m.exec(readIfPossible("/proc/self/cgroup"))?.[1] ?? "/";
  const v2 = [`/sys/fs/cgroup${folder}/cpu.stat`, "/sys/fs/cgroup/cpu.stat"];
  for (const file of v2) {
    const microseconds = /^throttled_usec (\d+)$/m.exec(readIfPossible(file))?.[1];
    if (microseconds !== undefined) return Number(microseconds) * 1e3;
  }
  const v1 = /^throttled_time (\d+)$/m.exec(readIfPossible("/sys/fs/cgroup/cpu/cpu.stat"))?.[1];
  return Number(v1 ?? 0);
}

function readIfPossible(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // another kernel or another mount: nothing is known of a limit
  }
}
