// What this process is and uses: its command line, its environment, its CPU time.
import { basename } from "node:path";
import { readTextFileIfPossible } from "./files.ts";

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
  const memberships = readTextFileIfPossible("/proc/self/cgroup") ?? "";
  const v2 = /^0::(\/.*)$/m.exec(memberships)?.[1] ?? "/";
  const v1 = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(memberships)?.[1] ?? "/";
  // In a container the path may be the host's, and the container's own folder is what is mounted.
  for (const folder of [v2, "", `/cpu${v1}`, "/cpu"]) {
    const statistics = readTextFileIfPossible(`/sys/fs/cgroup${folder}/cpu.stat`) ?? "";
    const microseconds = /^throttled_usec (\d+)$/m.exec(statistics)?.[1];
    if (microseconds !== undefined) return Number(microseconds) * 1e3;
    const nanoseconds = /^throttled_time (\d+)$/m.exec(statistics)?.[1];
    if (nanoseconds !== undefined) return Number(nanoseconds);
  }
  return 0;
}

/** The name by which this program was called, which a symbolic link may have changed. */
export function calledAs(): string {
  return basename(process.argv0);
}
