import { afterAll, expect, test } from "bun:test";
import { RunReader } from "../../lib/controller/run-reader.ts";
import { readReports } from "../../lib/controller/worker-logs.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { DepartedWorker } from "../../lib/loadtest/load-test-result.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { presentRun } from "../../lib/plan/run.ts";
import type { Action } from "../../lib/plan/world.ts";
import { createLog } from "../../lib/runtime/log.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { formatLine } from "../../lib/stats/line.ts";
import { fixedConnection, statusAnswer, TestPki } from "../kube/test-server.ts";
import { ended, loadTest, workerPods } from "../plan/finished-pods.ts";
import { completed } from "../stats/worker-recordings.ts";

const pki = new TestPki();
let atOnce = 0;
let mostAtOnce = 0;
let elapsedSeconds = 1;
let reads: string[] = [];
/** No log comes. */
let isFrozen = false;

/** Tells of each Pod's log; that of every seventh worker cannot be read. */
const server = Bun.serve({
  port: 0,
  tls: { cert: pki.pem("server.crt"), key: pki.pem("server.key") },
  fetch: async (request) => {
    const { pathname, search } = new URL(request.url);
    reads.push(`${pathname.split("/").slice(-2).join("/")}${search}`);
    if (!pathname.endsWith("/log")) return statusAnswer(404, "NotFound", "not found");
    if (isFrozen) return new Promise<Response>(() => {});
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await Bun.sleep(5);
    atOnce--;
    const worker = Number(/-(\d+)\/log$/.exec(pathname)?.[1]);
    if (worker % 7 === 6) return statusAnswer(400, "BadRequest", "container is waiting to start");
    const { account, latency } = completed([1e6]);
    const startedAtMs = Date.UTC(2030, 0, 1);
    return new Response(
      formatLine({
        kind: "snapshot",
        worker,
        startedAtMs,
        elapsedSeconds,
        account,
        latency: encodeHistogram(latency),
        plan: "0123abcd",
      }),
    );
  },
});
const client = new HttpKubeClient(
  fixedConnection(`https://localhost:${server.port}`, { tls: { ca: pki.pem("ca.crt") }, headers: {} }),
);
const log = createLog("test", "error");

afterAll(async () => {
  await server.stop(true);
  pki.remove();
});

const running = (test: LoadTest) =>
  workerPods(test).map((pod): Observed<Pod> => {
    const state = { running: { startedAt: "2030-01-01T00:00:00Z" } };
    return {
      ...pod,
      status: { phase: "Running", containerStatuses: [{ name: "worker", ready: true, restartCount: 0, state }] },
    };
  });

test("the logs of 100 workers are read 32 at a time, bounded, and one that cannot be read has no report", async () => {
  reads = [];
  const pods = running(loadTest({ workers: 100 }));
  const reports = await readReports(
    client,
    pods.map((pod) => ({ pod, tailLines: 6 })),
    log,
  );
  expect(mostAtOnce).toBeLessThanOrEqual(32);
  expect(reads.length).toBe(100);
  expect(reads[0]).toEndWith("/log?tailLines=6&limitBytes=73728&container=worker");
  const silent = pods.filter((_, worker) => worker % 7 === 6).map(({ metadata }) => metadata.uid);
  expect(pods.map(({ metadata }) => metadata.uid).filter((uid) => !reports.has(uid))).toEqual(silent);
  expect(reports.get("p0")).toMatchObject({ plan: "0123abcd", snapshot: { worker: 0 } });
});

test("a run's logs are read every 5 s, its result every 30 s, when a worker leaves, and at each pass once all have ended", async () => {
  const test = loadTest({ workers: 2 });
  const reader = new RunReader(client, log);
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  const startMs = Date.UTC(2030, 0, 1);
  const readAt = async (seconds: number, pods: Observed<Pod>[]) => {
    reads = [];
    const { results } = await reader.read({ ...nothing, loadTests: [test], pods }, startMs + seconds * 1000);
    const tails = reads.flatMap((read) => /tailLines=(\d+)/.exec(read)?.[1] ?? []).map(Number);
    return { tails, result: results?.get("u1") };
  };
  const pods = running(test);
  const [first, second] = pods as [Observed<Pod>, Observed<Pod>];
  expect(await readAt(1, pods)).toEqual({ tails: [6, 6], result: undefined });
  expect(await readAt(2, pods)).toEqual({ tails: [], result: undefined });
  expect(await readAt(6, pods)).toEqual({ tails: [6, 6], result: undefined });
  expect(await readAt(30, pods)).toEqual({ tails: [36, 36], result: null });
  expect(await readAt(31, pods)).toEqual({ tails: [], result: undefined });
  expect(await readAt(-3600, pods)).toEqual({ tails: [6, 6], result: null }); // the clock was set back
  expect(await readAt(-3599, pods)).toEqual({ tails: [], result: undefined });
  expect((await readAt(30, pods)).result).toBeNull();
  const gone = ended(second, "Failed");
  expect(await readAt(40, [first, gone])).toEqual({ tails: [16, 23], result: null });
  expect(await readAt(41, [first, gone])).toEqual({ tails: [], result: undefined });
  reader.forget({ ...nothing, loadTests: [test], pods });
  expect((await readAt(42, [first, gone])).result).toBeNull();
  const allGone = [ended(first, "Failed"), gone];
  for (const seconds of [43, 44]) expect((await readAt(seconds, allGone)).result).toBeNull();
});

test("what is kept of workers whose Pods are gone counts in each pass, as it was read or written last", async () => {
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  const one = { uid: "p7", worker: 0, joinNs: 0, message: "{}" };
  const loadTests = [loadTest({ workers: 1 })];
  const pods = running(loadTests[0] as LoadTest);
  const startMs = Date.UTC(2030, 0, 1);
  const reader = new RunReader(client, log);
  const departedAt = async (seconds: number, seen = pods) =>
    (await reader.read({ ...nothing, loadTests, pods: seen }, startMs + seconds * 1000)).departed?.get("u1");
  expect(await departedAt(1)).toBeUndefined();
  const writing = (hash: string, departed: DepartedWorker[]): Action => {
    const result = { run: { uid: "u1", hash }, complete: false, departed } as never;
    return { kind: "writeResult", namespace: "ns", name: "lt-h", result, isEarly: false };
  };
  const { hash } = presentRun(loadTests[0] as LoadTest);
  reader.learn([writing(hash, [one]), writing("another", [])]);
  expect(await departedAt(2)).toEqual([one]);
  const again = loadTest({ workers: 1, runID: "again" });
  const other = new RunReader(client, log);
  await other.read({ ...nothing, loadTests, pods }, startMs);
  other.learn([writing(hash, [one])]);
  const seen = { ...nothing, loadTests: [again], pods: running(again) };
  expect((await other.read(seen, startMs + 1000)).departed).toBeUndefined();
  reader.forget({ ...nothing, loadTests, pods });
  expect(await departedAt(3)).toEqual([one]);
  expect(await departedAt(31)).toEqual([]); // there is no result, as the API server says
});

test("the result is read at once where a worker has joined, or none is left of a load that has begun", async () => {
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  const startMs = Date.UTC(2030, 0, 1);
  const test = loadTest({ workers: 1 });
  const [pod] = running(test) as [Observed<Pod>];
  const plan = { ...JSON.parse(pod.metadata.annotations?.[planAnnotation] as string), joinNs: 5e8 };
  const annotations = { ...pod.metadata.annotations, [planAnnotation]: JSON.stringify(plan) };
  const joined = { ...pod, metadata: { ...pod.metadata, annotations } };
  const resultOf = async (loadTests: LoadTest[], pods: Observed<Pod>[]) =>
    (await new RunReader(client, log).read({ ...nothing, loadTests, pods }, startMs + 1000)).results?.get("u1");
  expect(await resultOf([test], [joined])).toBeNull();
  expect(await resultOf([test], [])).toBeUndefined();
  expect(await resultOf([{ ...test, status: { startTime: "2030-01-01T00:00:00Z" } }], [])).toBeNull();
});

test("since when a worker says the same is remembered, from the first reading on", async () => {
  const test = loadTest({ workers: 1 });
  const reader = new RunReader(client, log);
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  const saidAt = async (nowMs: number) => {
    const { reports } = await reader.read({ ...nothing, loadTests: [test], pods: running(test) }, nowMs);
    return reports?.get("p0")?.saidAtMs;
  };
  elapsedSeconds = 1;
  expect(await saidAt(10_000)).toBe(10_000);
  expect(await saidAt(11_000)).toBeUndefined(); // not read
  expect(await saidAt(16_000)).toBe(10_000);
  elapsedSeconds = 2;
  expect(await saidAt(22_000)).toBe(22_000);
  expect(await saidAt(28_000)).toBe(22_000);
  isFrozen = true;
  expect(await saidAt(34_000)).toBeUndefined();
  isFrozen = false;
  reader.forget({ ...nothing, loadTests: [test], pods: running(test) });
  expect(await saidAt(40_000)).toBe(22_000);
});

test("where no log comes, no more are begun than are under way already", async () => {
  const pods = running(loadTest({ workers: 100 }));
  const wanted = pods.map((pod) => ({ pod, tailLines: 6 }));
  reads = [];
  isFrozen = true;
  const reports = await readReports(client, wanted, log);
  isFrozen = false;
  expect(reports.size).toBe(0);
  expect(reads.length).toBe(32);
});
