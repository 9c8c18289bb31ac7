// The worker as a Pod runs it: a plan file that changes, a process that is killed and begins again.
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planHash, type WorkerPlan } from "../../lib/load/worker-plan.ts";
import { withTemporaryFolder } from "../../lib/runtime/files.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { type Line, parseLine, type ReadyLine, type SnapshotLine } from "../../lib/stats/line.ts";
import { parseWorkerFailure, type WorkerFailure } from "../../lib/stats/worker-failure.ts";
import { parseTerminationMessage, type WorkerResult } from "../../lib/stats/worker-result.ts";
import { get, planFor } from "../driver/drive.ts";
import { binary, linesOf, startTarget } from "./process.ts";

const children: Bun.Subprocess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

class WorkerProcess {
  readonly #folder: string;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #lines: AsyncGenerator<string>;

  constructor(folder: string, flags: readonly string[] = []) {
    this.#folder = folder;
    const file = (name: string) => join(folder, name);
    const files = ["--plan", file("plan.json"), "--result", file("result"), "--checkpoint", file("checkpoint")];
    this.#child = Bun.spawn([binary, "worker", ...files, ...flags], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    children.push(this.#child);
    this.#lines = linesOf(this.#child.stdout);
  }

  /** The next line that is `wanted`. */
  async until<T extends Line>(wanted: (line: Line) => line is T): Promise<T> {
    for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next()) {
      const line = parseLine(next.value);
      if (line !== undefined && wanted(line)) return line;
    }
    throw new Error("the worker ended before it said so");
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  /** Its reason, where it is to fail. */
  async fail(): Promise<WorkerFailure | undefined> {
    expect(await this.#child.exited).toBe(1);
    return parseWorkerFailure(readFileSync(join(this.#folder, "result"), "utf8"));
  }

  /** Its result, where a signal ends it early. */
  interrupt(): Promise<WorkerResult> {
    this.#child.kill("SIGTERM");
    return this.end(143);
  }

  async end(exitCode = 0): Promise<WorkerResult> {
    for await (const _ of this.#lines); // a full pipe would hold the worker up
    expect(await this.#child.exited).toBe(exitCode);
    return parseTerminationMessage(readFileSync(join(this.#folder, "result"), "utf8")) as WorkerResult;
  }
}

/** Replaces the plan as the kubelet does, in one step; returns what acknowledges it. */
function putPlan(folder: string, plan: WorkerPlan): string {
  const text = JSON.stringify(plan);
  writeFileSync(join(folder, "plan.new"), text);
  renameSync(join(folder, "plan.new"), join(folder, "plan.json"));
  return planHash(text);
}

const isSnapshot = (line: Line): line is SnapshotLine => line.kind === "snapshot";
const acknowledges = (hash: string) => (line: Line) => isSnapshot(line) && line.plan === hash;
const isReady = (hash: string) => (line: Line) => line.kind === "ready" && line.plan === hash;

function planTo(url: string, changes: Partial<WorkerPlan>): WorkerPlan {
  return planFor({ port: Number(new URL(url).port) }, { timeoutNs: 5e9, pacing: "relaxed", ...changes });
}

test("a worker acknowledges and follows its plan before and after the start, until it says stop", async () => {
  const target = await startTarget();
  const result = await withTemporaryFolder(async (folder) => {
    const waiting = planTo(target.url, { worker: { index: 0, count: 2 }, durationNs: 60e9, barrier: true });
    const first = putPlan(folder, waiting);
    const worker = new WorkerProcess(folder);
    await worker.until(isReady(first) as never);
    const alone = { ...waiting, worker: { index: 0, count: 1 }, requestsPerSecond: 200 };
    await worker.until(isReady(putPlan(folder, alone)) as never);
    const started = { ...alone, startAtMs: Date.now() };
    await worker.until(acknowledges(putPlan(folder, started)) as never);
    const rates = { requestsPerSecond: 200, durationNs: 60e9 };
    const changes = [{ atNs: 2e9, clockNs: 2e9, paused: true as const, ...rates }];
    const paused = { ...started, changes, requests: [...started.requests, get("/c")] };
    await worker.until(acknowledges(putPlan(folder, paused)) as never);
    const inPause = (line: Line): line is SnapshotLine => isSnapshot(line) && line.elapsedSeconds > 3;
    expect((await worker.until(inPause)).account.scheduled).toBe(400);
    putPlan(folder, { ...paused, stop: true });
    return await worker.end();
  });
  const report = await target.stop();
  expect(result.account).toMatchObject({ scheduled: 400, sent: 400, completed: 400 });
  expect(report.requests).toBe(400);
  expect(result.paths?.length).toBe(3);
});

test("a worker that is killed goes on from its checkpoint: what it knew is kept, what was open is lost", async () => {
  const target = await startTarget(["--delay", "20ms"]);
  const seconds = 6;
  const { results, checkpointSent } = await withTemporaryFolder(async (folder) => {
    putPlan(folder, planTo(target.url, { requestsPerSecond: 500, durationNs: seconds * 1e9, connections: 16 }));
    let checkpointSent = 0;
    for (const untilSeconds of [1.5, 3]) {
      const worker = new WorkerProcess(folder);
      const isFar = (line: Line): line is SnapshotLine => isSnapshot(line) && line.elapsedSeconds > untilSeconds;
      checkpointSent = (await worker.until(isFar)).account.sent;
      await worker.kill();
      expect(existsSync(join(folder, "checkpoint"))).toBe(true);
    }
    return { results: await new WorkerProcess(folder).end(), checkpointSent };
  });
  const report = await target.stop();
  const { account, latency } = results;
  expect(imbalance(account)).toBe(0);
  expect(account).toMatchObject({ scheduled: 500 * seconds, inFlight: 0 });
  expect(account.sent).toBeGreaterThan(checkpointSent);
  expect(account.lost).toBeGreaterThan(0);
  expect(account.completed).toBeGreaterThan(1000);
  expect(report.requests).toBeGreaterThanOrEqual(account.sent);
  expect(report.requests).toBeLessThanOrEqual(account.sent + account.lost);
  expect(latency.histogram.total).toBe(account.completed + account.timedOut);
});

test("a worker that a signal ends before its plan leaves its result, and says by its exit code that it is not done", async () => {
  const target = await startTarget();
  const [waiting, loading] = await withTemporaryFolder(async (folder) => {
    const plan = planTo(target.url, { requestsPerSecond: 100, durationNs: 60e9 });
    const hash = putPlan(folder, { ...plan, worker: { index: 0, count: 2 }, barrier: true });
    const first = new WorkerProcess(folder);
    await first.until(isReady(hash) as never);
    const results = [await first.interrupt()];
    putPlan(folder, plan);
    const second = new WorkerProcess(folder);
    await second.until((line): line is SnapshotLine => isSnapshot(line) && line.elapsedSeconds > 0.5);
    return [...results, await second.interrupt()];
  });
  const report = await target.stop();
  expect(waiting?.account.scheduled).toBe(0);
  expect(loading?.account.completed).toBeGreaterThan(40);
  expect(loading?.account.completed).toBe(report.requests);
  expect(loading?.scheduledSeconds).toBeLessThan(60);
});

test("a killed worker goes on although its target is gone, and says what became of the rest", async () => {
  const target = await startTarget();
  const { account } = await withTemporaryFolder(async (folder) => {
    putPlan(folder, planTo(target.url, { requestsPerSecond: 100, durationNs: 3e9 }));
    const worker = new WorkerProcess(folder);
    await worker.until((line): line is SnapshotLine => isSnapshot(line) && line.elapsedSeconds > 1.5);
    await worker.kill();
    await target.stop();
    return await new WorkerProcess(folder).end();
  });
  expect(account.completed).toBeGreaterThanOrEqual(90);
  expect(account.failed.refused).toBeGreaterThan(0);
  expect(account.scheduled).toBe(300);
});

describe("before the load, a worker that is told to try the paths", () => {
  const tried = (url: string, changes: Partial<WorkerPlan> = {}) =>
    planTo(url, { preflight: true, requestsPerSecond: 100, durationNs: 1e9, ...changes });

  test("sends one request for each, which are in no account, and says what came of them", async () => {
    const target = await startTarget(["--fault", "status-404:1@2"]);
    const { result, preflight } = await withTemporaryFolder(async (folder) => {
      const post = { ...get("/c"), method: "POST" };
      const hash = putPlan(folder, tried(target.url, { requests: [get("/a"), get("/b"), get("/a"), post] }));
      const worker = new WorkerProcess(folder);
      const { preflight } = await worker.until((line): line is ReadyLine => isReady(hash)(line));
      return { preflight, result: await worker.end() };
    });
    const report = await target.stop();
    expect(preflight).toEqual({ requests: 2, failed: 1, example: 'GET "/b" to "web": status 404' });
    expect(result.account).toMatchObject({ scheduled: 100, sent: 100, completed: 100 });
    expect(report.requests).toBe(result.account.sent + 2);
  });

  test("begins no load when none is answered as expected, and says why", async () => {
    for (const [fault, reason, words] of [
      ["status-503:9@1", "unexpectedStatus", "status 503"],
      ["reset:9@1", "resetBeforeFirstByte", "resetBeforeFirstByte"],
      ["timeout:9@1", "connect", "no response within the timeout"],
    ] as const) {
      const target = await startTarget(["--fault", fault]);
      const failure = await withTemporaryFolder(async (folder) => {
        putPlan(folder, tried(target.url, { timeoutNs: 1e9 }));
        return await new WorkerProcess(folder).fail();
      });
      expect((await target.stop()).requests).toBeLessThanOrEqual(2);
      expect(failure).toMatchObject({ reason, message: expect.stringContaining(words) as never });
    }
  });
});

test("a worker's metrics are those of its snapshots, before the load and while it runs", async () => {
  const target = await startTarget();
  const port = freePort();
  await withTemporaryFolder(async (folder) => {
    const plan = planTo(target.url, { requestsPerSecond: 200, worker: { index: 0, count: 2 }, barrier: true });
    const { durationNs: _, ...endless } = plan;
    const hash = putPlan(folder, { ...endless, preflight: true });
    const worker = new WorkerProcess(folder, ["--metrics-port", String(port)]);
    await worker.until((line): line is ReadyLine => isReady(hash)(line));
    expect((await scrape(port))["loadtest_worker_scheduled_total"]).toBe(0);
    putPlan(folder, { ...endless, preflight: true, startAtMs: Date.now() });
    const { account } = await worker.until((line): line is SnapshotLine => isSnapshot(line) && line.elapsedSeconds > 3);
    const samples = await scrape(port);
    const completed = samples['loadtest_worker_requests_total{outcome="completed"}'] as number;
    expect(completed).toBeGreaterThanOrEqual(account.completed);
    expect(samples).toMatchObject({
      loadtest_worker_preflight_requests_total: 2,
      loadtest_worker_latency_seconds_count: completed,
      'loadtest_worker_latency_seconds_bucket{le="+Inf"}': completed,
      loadtest_worker_connections: 8,
    });
    expect(samples["loadtest_worker_asked_per_second"]).toBeCloseTo(100, 6);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: "DELETE" })).status).toBe(404);
    putPlan(folder, { ...endless, preflight: true, startAtMs: Date.now(), stop: true });
    await worker.end();
  });
  await target.stop();
});

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  listener.stop(true);
  return listener.port;
}

/** Samples by name and labels. */
async function scrape(port: number): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]));
}
