// Worker processes on this machine in place of Pods: the same plans, the same lines, no cluster.
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { nowMs } from "../runtime/clock.ts";
import { replaceTextFile, withTemporaryFolder } from "../runtime/files.ts";
import { selfCommand } from "../runtime/process.ts";
import { beforeLeaving, interruptedCode } from "../runtime/signals.ts";
import { Collector } from "../stats/collector.ts";
import { type Line, parseLine, type SnapshotLine } from "../stats/line.ts";
import type { WorkerRecording } from "../stats/recording.ts";

/** From telling several workers, which then look at their plans each 50 ms, to their common start. */
const barrierMs = 300;

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
    const planFile = ({ worker }: WorkerPlan) => join(folder, `plan-${worker.index}.json`);
    const children: Subprocess<"ignore", "pipe", "pipe">[] = [];
    const ready = new Set<number>();
    let isStarted = plans.length === 1;
    const take = (line: Line) => {
      collector.take(line);
      if (line.kind === "snapshot") onSnapshots(collector.snapshots());
      if (line.kind !== "ready" || ready.add(line.worker).size < plans.length || isStarted) return;
      isStarted = true;
      const startAtMs = nowMs() + barrierMs;
      for (const plan of plans) replaceTextFile(planFile(plan), JSON.stringify({ ...plan, startAtMs }));
    };
    const endAll = () => {
      for (const child of children) child.kill("SIGTERM");
    };
    const forget = beforeLeaving(() => {
      for (const child of children) child.kill("SIGKILL");
    });
    stop.addEventListener("abort", endAll);
    try {
      for (const plan of plans) {
        replaceTextFile(planFile(plan), JSON.stringify(plan));
        const files = ["--plan", planFile(plan), "--result", join(folder, `result-${plan.worker.index}`)];
        const cmd = [...selfCommand(), "worker", ...files];
        children.push(Bun.spawn({ cmd, stdin: "ignore", stdout: "pipe", stderr: "pipe" }));
      }
      if (stop.aborted) endAll();
      await Promise.all(
        children.map(async (child) => {
          const words = new Response(child.stderr).text();
          await collect(child.stdout, take);
          await child.exited;
          const endedBy = child.exitCode === interruptedCode ? "SIGTERM" : child.signalCode;
          // By a signal: from this process or from the terminal, maybe before it listened to any.
          const isEarly = stop.aborted && (endedBy === "SIGTERM" || endedBy === "SIGINT");
          const isEnded = child.exitCode === 0 || isEarly;
          if (!isEnded) throw new Error(failureOf(await words, endedBy));
        }),
      );
    } catch (error: unknown) {
      endAll();
      await Promise.all(children.map((child) => child.exited));
      throw error;
    } finally {
      stop.removeEventListener("abort", endAll);
      forget();
    }
    return collector.recordings();
  });
}

async function collect(stdout: ReadableStream<Uint8Array>, take: (line: Line) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stdout) {
    const texts = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = texts.pop() as string;
    for (const text of texts) {
      const line = parseLine(text);
      if (line !== undefined) take(line);
    }
  }
}

function failureOf(words: string, signal: NodeJS.Signals | number | null): string {
  const message = words.trim().replace(/^error: /, "");
  return message === ""
    ? `Cannot finish the run: a worker process was ended by ${signal ?? "an unknown cause"}`
    : message;
}
