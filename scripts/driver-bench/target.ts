// `loadtest target` as the referee: it stamps every arrival to the nanosecond and reports when it is ended.
import type { TargetReport } from "../../lib/target/report.ts";
import type { Bench } from "./bench.ts";
import { type Child, endChild, startOnCore } from "./child.ts";

export interface Target {
  url: string;
  pid: number;
}

/** Runs `use` while a target serves on a free port, for `limitSeconds` at most; resolves with its report too. */
export async function withTarget<T>(
  bench: Bench,
  args: readonly string[],
  limitSeconds: number,
  use: (target: Target) => Promise<T>,
): Promise<{ result: T; report: TargetReport }> {
  const command = [bench.binary, "target", "--port", "0", "--output", "json", ...args];
  const child = startOnCore(command, { ...bench, core: bench.serverCore, limitSeconds });
  const words = child.stderr.text();
  const lines = linesOf(child);
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Cannot use the target: it ended and said ${(await words).trim() || "nothing"}`);
    return JSON.parse(value);
  };
  try {
    const { url } = await next();
    const result = await use({ url: String(url), pid: child.pid });
    child.kill("SIGTERM");
    return { result, report: (await next()) as unknown as TargetReport };
  } finally {
    await endChild(child);
  }
}

async function* linesOf({ stdout }: Child): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stdout) {
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop() as string;
    yield* texts;
  }
  return undefined;
}
