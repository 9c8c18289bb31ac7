import { afterEach, expect, test } from "bun:test";
import type { TCPSocketListener } from "bun";
import { Driver } from "../../lib/driver/driver.ts";
import type { PlannedBackend, PlannedRequest, WorkerPlan } from "../../lib/load/worker-plan.ts";
import { monotonicNs } from "../../lib/runtime/clock.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { allRecordings, mergeRecordings, type Recording } from "../../lib/stats/recording.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
let server: TCPSocketListener<undefined> | undefined;

afterEach(() => server?.stop(true));

/** A server that does with request number n (from 0) what `behave` says: answer bytes, close, reset, or silence. */
function serve(behave: (n: number) => string | "close" | "reset" | "silence"): number {
  let n = 0;
  server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket) => {
        const answer = behave(n++);
        if (answer === "close") socket.end();
        else if (answer === "reset") socket.terminate();
        else if (answer.endsWith("cut")) socket.end(answer.slice(0, -3));
        else if (answer !== "silence") socket.write(answer);
      },
    },
  });
  return server.port;
}

function get(path: string): PlannedRequest {
  return { method: "GET", path, headers: [], weight: 1 };
}

function backend(name: string, percent: number, port: number): PlannedBackend {
  return { name, percent, origin: { scheme: "http", host: "127.0.0.1", port } };
}

function planFor(port: number, changes: Partial<WorkerPlan> = {}): WorkerPlan {
  return {
    generation: 1,
    worker: { index: 0, count: 1 },
    backends: [backend("web", 100, port)],
    tls: { caFiles: [], insecure: false },
    requests: [get("/a"), get("/b")],
    requestsPerSecond: 1000,
    durationNs: 200e6,
    arrivals: "Constant",
    seed: 1,
    connections: 8,
    timeoutNs: 1e9,
    pacing: "balanced",
    barrier: false,
    ...changes,
  };
}

async function drive(
  plan: WorkerPlan,
  stop = new AbortController().signal,
): Promise<{ total: Recording; paths: Recording[] }> {
  const driver = await Driver.create(plan);
  await driver.open(stop);
  await driver.run(monotonicNs(), stop, () => {});
  const paths = allRecordings({ backends: driver.recordings() });
  return { total: mergeRecordings(paths), paths };
}

test("every scheduled request is sent once and completed, paths in turn", async () => {
  const { total, paths } = await drive(planFor(serve(() => ok)));
  expect(total.account).toMatchObject({
    scheduled: 200,
    sent: 200,
    completed: 200,
    statusCodes: { 200: 200 },
    unsent: 0,
  });
  expect(paths.map(({ account }) => account.completed)).toEqual([100, 100]);
  expect(total.latency.total).toBe(200);
  expect(imbalance(total.account)).toBe(0);
});

test("latency is slip plus service", async () => {
  const { total } = await drive(
    planFor(
      serve(() => ok),
      { connections: 1 },
    ),
  );
  expect(total.latency.sumNs).toBeCloseTo(total.slip.sumNs + total.service.sumNs, -4);
});

test("each fault is counted by its kind, exactly, and no request is repeated", async () => {
  const faults: Record<number, string> = {
    10: "close",
    20: "reset",
    30: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalfcut",
    40: "garbage\r\n\r\n",
    50: "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
    60: "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
  };
  const { total } = await drive(planFor(serve((n) => faults[n] ?? ok)));
  expect(total.account).toMatchObject({
    scheduled: 200,
    sent: 200,
    completed: 194,
    failed: { resetBeforeFirstByte: 2, truncated: 1, malformed: 1, unexpectedStatus: 2 },
    statusCodes: { 200: 194, 404: 1, 500: 1 },
  });
  expect(imbalance(total.account)).toBe(0);
});

test("silence is a timeout, and its latency is recorded", async () => {
  const { total } = await drive(
    planFor(
      serve((n) => (n === 5 ? "silence" : ok)),
      { timeoutNs: 100e6 },
    ),
  );
  expect(total.account).toMatchObject({ scheduled: 200, completed: 199, timedOut: 1 });
  expect(total.latency.maxNs).toBeGreaterThanOrEqual(100e6);
});

test("requests owed for longer than the timeout are unsent, not lost", async () => {
  const { total } = await drive(
    planFor(
      serve(() => "silence"),
      { connections: 1, timeoutNs: 50e6 },
    ),
  );
  expect(total.account.scheduled).toBe(200);
  expect(total.account.timedOut + total.account.unsent).toBe(200);
  expect(total.account.unsent).toBeGreaterThan(100);
});

test("the server going away makes refused requests, and the account stays whole", async () => {
  const port = serve((n) => {
    if (n === 50) server?.stop(true);
    return ok;
  });
  const { total } = await drive(planFor(port));
  expect(total.account.failed.refused).toBeGreaterThan(50);
  expect(imbalance(total.account)).toBe(0);
});

test("a stop ends the schedule there, with the account whole", async () => {
  const stop = new AbortController();
  const port = serve((n) => {
    if (n === 50) stop.abort();
    return ok;
  });
  const { durationNs: _, ...endless } = planFor(port);
  const { total } = await drive(endless, stop.signal);
  expect(total.account.scheduled).toBeGreaterThan(50);
  expect(total.account.scheduled).toBeLessThan(20_000);
  expect(total.account).toMatchObject({ completed: total.account.sent, inFlight: 0 });
  expect(imbalance(total.account)).toBe(0);
});

test("a stop before the start sends nothing", async () => {
  const { total } = await drive(planFor(serve(() => ok)), AbortSignal.abort());
  expect(total.account).toMatchObject({ sent: 0, completed: 0, inFlight: 0 });
  expect(imbalance(total.account)).toBe(0);
});

test("a start in the past begins in mid-schedule, and what was due before counts as lost", async () => {
  const driver = await Driver.create(
    planFor(
      serve(() => ok),
      { durationNs: 1e9 },
    ),
  );
  const stop = new AbortController().signal;
  await driver.open(stop);
  await driver.run(monotonicNs() - 800e6, stop, () => {});
  const { account } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
  expect(account.scheduled).toBe(1000);
  expect(account.lost).toBeGreaterThanOrEqual(700);
  expect(account.completed + account.lost).toBe(1000);
});

test("a generator that stood still is late by itself, also for what it then gave up", async () => {
  const driver = await Driver.create(
    planFor(
      serve(() => ok),
      { timeoutNs: 5e6, durationNs: 300e6 },
    ),
  );
  const stop = new AbortController().signal;
  await driver.open(stop);
  setTimeout(() => Bun.sleepSync(150), 50);
  await driver.run(monotonicNs(), stop, () => {});
  const { account } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
  expect(account.unsent).toBeGreaterThan(50);
  expect(driver.generatorReport().slip.quantileNs(0.99)).toBeGreaterThan(50e6);
  expect(imbalance(account)).toBe(0);
});

test("a target that cannot be reached at all is one clear error of its kind", async () => {
  const port = serve(() => ok);
  server?.stop(true);
  expect(drive(planFor(port))).rejects.toMatchObject({
    kind: "refused",
    message: expect.stringContaining("connection refused") as never,
  });
  const origin = { scheme: "http" as const, host: "nonesuch.invalid", port };
  expect(drive({ ...planFor(port), backends: [{ name: "web", percent: 100, origin }] })).rejects.toMatchObject({
    kind: "dns",
  });
});
