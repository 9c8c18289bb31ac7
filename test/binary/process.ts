// Runs the compiled binary as a user would, and collects what it says.
import { join } from "node:path";

export const binary = join(import.meta.dir, "../../dist/loadtest");

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs `loadtest ARGS…` to its end. */
export async function loadtest(args: readonly string[], stdin = ""): Promise<Outcome> {
  const child = Bun.spawn([binary, ...args], { stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

export interface Target {
  url: string;
  /** Ends it; resolves with its report. */
  stop(): Promise<{ requests: number; ratePerSecond: number; paths: { path: string; requests: number }[] }>;
}

/** Starts `loadtest target` on a free port. */
export async function startTarget(args: readonly string[] = []): Promise<Target> {
  const child = Bun.spawn([binary, "target", "--port", "0", "--output", "json", ...args], { stdout: "pipe" });
  const lines = linesOf(child.stdout);
  const { url } = JSON.parse((await lines.next()).value as string) as { url: string };
  return {
    url,
    stop: async () => {
      child.kill("SIGTERM");
      return JSON.parse((await lines.next()).value as string);
    },
  };
}

export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop() as string;
    yield* texts;
  }
}
