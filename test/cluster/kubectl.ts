// kubectl against the cluster under test, and waiting for its world to become so.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

export const kubeconfig = process.env["LOADTEST_KUBECONFIG"] ?? "";
const own = join(dirname(kubeconfig), "bin/kubectl");
export const kubectlBinary = kubeconfig !== "" && existsSync(own) ? own : "kubectl";

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs kubectl to its end, with `input` on stdin. */
export async function tryKubectl(args: readonly string[], input = ""): Promise<Outcome> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const child = Bun.spawn([kubectlBinary, ...args], { env, stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

/** Starts kubectl, for who reads what it prints as it comes. */
export function spawnKubectl(args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return Bun.spawn([kubectlBinary, ...args], { env, stdin: "ignore", stdout: "pipe", stderr: "inherit" });
}

/** What kubectl printed; throws what it complained about. */
export async function kubectl(args: readonly string[], input = ""): Promise<string> {
  const { code, out, err } = await tryKubectl(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${err}`);
  return out;
}

/** Objects as kubectl reads several of them from stdin. */
export function documentsOf(objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join("\n---\n");
}

export async function kubectlJson<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl([...args, "-o", "json"])) as T;
}

/** The first value of `probe` that `isSo`; throws the last one seen when the deadline has passed. */
export async function eventually<T>(
  probe: () => Promise<T>,
  isSo: (value: T) => boolean,
  deadlineMs = 60_000,
): Promise<T> {
  const until = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (isSo(value)) return value;
    if (Date.now() > until) throw new Error(`not so after ${deadlineMs} ms: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await Bun.sleep(200);
  }
}
