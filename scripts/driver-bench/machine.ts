// What the figures were measured on: a benchmark without its machine says little.
import { readFileSync } from "node:fs";
import { release } from "node:os";

/** The processors this process may run on, in order. */
export function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return parseCoreList(list);
}

/** `0-2,5` → 0, 1, 2, 5. */
export function parseCoreList(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** One line: the processor, the kernel, the load that was there before. */
export function describeMachine(coreCount: number): string {
  const model = /^model name\s*: (.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? process.arch;
  const load = readFileSync("/proc/loadavg", "utf8").split(" ")[0];
  return `${model}, ${coreCount} cores, Linux ${release()}, load average before: ${load}`;
}

/** The version in what a program says of itself: a number with points after a slash, a `v`, or a space. */
export function parseVersion(words: string): string | undefined {
  return /(?:\/|\bv|\s|^)(\d+(?:\.\d+)+)/m.exec(words)?.[1];
}

/** `wrk 4.1.0`; the name alone where the version cannot be had. */
export async function describeProgram(name: string, versionCommand: readonly string[]): Promise<string> {
  if (Bun.which(versionCommand[0] as string) === null) return name;
  const child = Bun.spawn([...versionCommand], { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: 5000 });
  const [out, words] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const version = parseVersion(out + words);
  return version === undefined ? name : `${name} ${version}`;
}
