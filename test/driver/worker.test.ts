// What a worker says of the plan that its file holds.
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PlanFile } from "../../lib/driver/plan-file.ts";
import { runWorker } from "../../lib/driver/worker.ts";
import { planHash, type WorkerPlan } from "../../lib/load/worker-plan.ts";
import { replaceTextFile, withTemporaryFolder } from "../../lib/runtime/files.ts";
import { sumAccounts } from "../../lib/stats/account.ts";
import { parseCheckpoint } from "../../lib/stats/checkpoint.ts";
import { type Line, parseLine, type SnapshotLine } from "../../lib/stats/line.ts";
import { allRecordings, mergeRecordings, type WorkerRecording } from "../../lib/stats/recording.ts";
import { parseTerminationMessage, type WorkerResult } from "../../lib/stats/worker-result.ts";
import { eventually, ok, planFor, serve } from "./drive.ts";

/** A worker in this process. */
interface Running {
  /** What it has said so far. */
  lines: Line[];
  snapshots: () => SnapshotLine[];
  /** Replaces its plan. */
  put: (plan: WorkerPlan) => void;
  ended: Promise<"ended" | "interrupted">;
}

/** Begins a worker with the plan, until the plan says stop; `onLine` is told what it says. */
function start(
  folder: string,
  plan: WorkerPlan,
  onLine: (line: Line, put: Running["put"]) => void = () => {},
): Running {
  const planFile = join(folder, "plan.json");
  const put = (next: WorkerPlan) => replaceTextFile(planFile, JSON.stringify(next));
  put(plan);
  const lines: Line[] = [];
  const write = (text: string) => {
    const line = parseLine(text) as Line;
    lines.push(line);
    onLine(line, put);
  };
  const stop = new AbortController().signal;
  const [resultFile, checkpointFile] = [join(folder, "result"), join(folder, "checkpoint")];
  const ended = runWorker({ planFile, resultFile, checkpointFile, stop, write });
  return { lines, snapshots: () => lines.filter((line) => line.kind === "snapshot"), put, ended };
}

function resultIn(folder: string): WorkerResult {
  return parseTerminationMessage(readFileSync(join(folder, "result"), "utf8")) as WorkerResult;
}

test("a plan is acknowledged once it is followed, and not while that takes its time", async () => {
  await withTemporaryFolder(async (folder) => {
    const planFile = join(folder, "plan.json");
    const plan = planFor({ port: 80 });
    const [former, next] = [plan, { ...plan, generation: 2 }].map((one) => JSON.stringify(one)) as [string, string];
    writeFileSync(planFile, former);
    const file = await PlanFile.open(planFile);
    expect(await file.followChange(() => Promise.reject(new Error("nothing has changed")))).toBe(false);
    writeFileSync(planFile, next);
    await expect(file.followChange(() => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    const { promise, resolve } = Promise.withResolvers<void>();
    const following = file.followChange(() => promise);
    expect([file.hash, file.plan.generation]).toEqual([planHash(former), 1]);
    resolve();
    expect(await following).toBe(true);
    expect([file.hash, file.plan.generation]).toEqual([planHash(next), 2]);
  });
});

test("a plan that is refused is never acknowledged", async () => {
  const server = serve(() => "silence");
  await withTemporaryFolder(async (folder) => {
    const plan = planFor(server, { durationNs: 60e9, timeoutNs: 2.5e9 });
    const { put, snapshots, ended } = start(folder, plan);
    await eventually(() => server.received.length > 0);
    put({ ...plan, seed: 2 });
    await expect(ended).rejects.toThrow('"seed" was changed');
    expect(snapshots().length).toBeGreaterThan(2); // while responses were waited for
    expect(new Set(snapshots().map((line) => line.plan))).toEqual(new Set([planHash(JSON.stringify(plan))]));
  });
});

test("a worker whose plan is refused has said all that it knows, as its message says only why", async () => {
  const server = serve((n) => (n < 8 ? "silence" : ok));
  await withTemporaryFolder(async (folder) => {
    const plan = planFor(server, { durationNs: 60e9, timeoutNs: 0.3e9 });
    const { put, lines, snapshots, ended } = start(folder, plan);
    await eventually(() => server.received.length > 0);
    put({ ...plan, seed: 2 });
    await expect(ended).rejects.toThrow('"seed" was changed');
    const accounts = lines.flatMap((line) => (line.kind === "account" ? [line.account] : []));
    expect(snapshots().at(-1)?.account).toEqual(sumAccounts(accounts));
    const checkpoint = parseCheckpoint(readFileSync(join(folder, "checkpoint"), "utf8")) as WorkerRecording;
    const known = mergeRecordings(allRecordings(checkpoint)).account;
    expect(known.timedOut).toBe(sumAccounts(accounts).timedOut);
  });
});

test("a plan that comes after the end is not looked at, and the result stays", async () => {
  const server = serve(() => ok);
  await withTemporaryFolder(async (folder) => {
    const plan = planFor(server);
    const { ended } = start(folder, plan, (line, put) => {
      if (line.kind === "account") put({ ...plan, seed: 2 });
    });
    expect(await ended).toBe("ended");
    expect(resultIn(folder).account).toMatchObject({ scheduled: 200, completed: 200 });
  });
});
