// Worker processes on this machine in place of Pods: the same plans, the same lines, no cluster.
import { join } from "node:path";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { nowMs } from "../runtime/clock.ts";
import { replaceTextFile, withTemporaryFolder } from "../runtime/files.ts";
import { selfCommand } from "../runtime/process.ts";
import { Collector } from "../stats/collector.ts";
import { parseLine, type SnapshotLine } from "../stats/line.ts";
import type { WorkerRecording } from "../stats/recording.ts";

/** Between planning several workers and their common start: they start up and connect meanwhile. */
const startUpMs = 1500;

export interface LocalRun {
  plans: readonly WorkerPlan[];
  /** Ends the run early; what was recorded until then is the result. */
  stop: AbortSignal;
  /** Called with the newest snapshot of each worker whenever one has come. */
  onSnapshots: (snapshots: readonly SnapshotLine[]) => void;
}

/** Runs all plans to their end. Rejects with what a worker said when it failed, and ends the others. */
export async function runLocally({ plans, stop, onSnapshots }: LocalRun): Promise<WorkerRecording[]> {
  return await withTemporaryFolder(async (folder) => {
    const collector = new Collector();
    const startAtMs = nowMs() + startUpMs;
    const children = plans.map((plan) => {
      const planFile = join(folder, `plan-${plan.worker.index}.json`);
      replaceTextFile(planFile, JSON.stringify(plan.barrier ? { ...plan, startAtMs } : plan));
      return Bun.spawn({
        cmd: [...selfCommand(), "worker", "--plan", planFile, "--result", join(folder, `result-${plan.worker.index}`)],
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
    });
    const endAll = () => {
      for (const child of children) child.kill("SIGTERM");
    };
    stop.addEventListener("abort", endAll);
    if (stop.aborted) endAll();
    try {
      await Promise.all(
        children.map(async (child) => {
          const words = new Response(child.stderr).text();
          await collect(child.stdout, collector, () => onSnapshots(collector.snapshots()));
          if ((await child.exited) !== 0) throw new Error(failureOf(await words, child.signalCode));
        }),
      );
    } catch (error: unknown) {
      endAll();
      await Promise.all(children.map((child) => child.exited));
      throw error;
    } finally {
      stop.removeEventListener("abort", endAll);
    }
    return collector.recordings();
  });
}

async function collect(
  stdout: ReadableStream<Uint8Array>,
  collector: Collector,
  onSnapshot: () => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stdout) {
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop() as string;
    for (const text of texts) {
      const line = parseLine(text);
      if (line === undefined) continue;
      collector.take(line);
      if (line.kind === "snapshot") onSnapshot();
    }
  }
}

function failureOf(words: string, signal: NodeJS.Signals | number | null): string {
  const message = words.trim().replace(/^error: /, "");
  return message === ""
    ? `Cannot finish the run: a worker process was ended by ${signal ?? "an unknown cause"}`
    : message;
}
