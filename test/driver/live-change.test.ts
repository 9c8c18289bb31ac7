// A plan that changes while its worker runs, or waits.
import { expect, test } from "bun:test";
import type { Socket } from "bun";
import { Driver } from "../../lib/driver/driver.ts";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import { monotonicNs } from "../../lib/runtime/clock.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { allRecordings, mergeRecordings } from "../../lib/stats/recording.ts";
import { backend, eventually, get, ok, planFor, type Server, serve } from "./drive.ts";

const never = new AbortController().signal;

interface Step {
  atMs: number;
  /** What is changed then, in the plan as it was. */
  change: (plan: WorkerPlan) => Partial<WorkerPlan>;
}

/** Drives the plan with all changes; the account is whole at every one of them. */
async function driveChanging(plan: WorkerPlan, steps: readonly Step[]): Promise<Driver> {
  const driver = await Driver.create(plan);
  await driver.open(never);
  let present = plan;
  for (const { atMs, change } of steps) {
    setTimeout(async () => {
      present = { ...present, ...change(present) };
      await driver.follow(present);
      expect(imbalance(total(driver))).toBe(0);
    }, atMs);
  }
  await driver.run(monotonicNs(), never, () => {});
  expect(imbalance(total(driver))).toBe(0);
  return driver;
}

function total(driver: Driver) {
  return mergeRecordings(allRecordings({ backends: driver.recordings() })).account;
}

const whole = (driver: Driver, servers: readonly Server[]) => {
  const { scheduled, sent, completed } = total(driver);
  expect([sent, completed]).toEqual([scheduled, scheduled]);
  expect(servers.reduce((sum, { received }) => sum + received.length, 0)).toBe(sent);
};

const rates = { requestsPerSecond: 1000, durationNs: 400e6 };

test("the rate changes at its instant, told before or too late", async () => {
  const server = serve(() => ok);
  const change = { atNs: 200e6, clockNs: 200e6, requestsPerSecond: 3000, durationNs: 400e6 };
  const early = await driveChanging(planFor(server, rates), [{ atMs: 100, change: () => ({ changes: [change] }) }]);
  expect(total(early).scheduled).toBe(800);
  whole(early, [server]);
  const late = await driveChanging(planFor(server, rates), [{ atMs: 300, change: () => ({ changes: [change] }) }]);
  expect(total(late).scheduled).toBeGreaterThan(500);
  expect(total(late).scheduled).toBeLessThanOrEqual(601);
  expect(total(late).completed).toBe(total(late).scheduled);
});

test("a pause sends nothing, keeps the connections, and the rest comes after it", async () => {
  const server = serve(() => ok);
  const pause = { atNs: 100e6, clockNs: 100e6, paused: true as const, ...rates };
  let inPause = 0;
  const driver = await driveChanging(planFor(server, { ...rates, connections: 4 }), [
    { atMs: 20, change: () => ({ changes: [pause] }) },
    {
      atMs: 200,
      change: () => {
        inPause = server.received.length;
        return { changes: [pause, { atNs: 300e6, clockNs: 100e6, ...rates }] };
      },
    },
  ]);
  whole(driver, [server]);
  expect(inPause).toBe(100);
  expect(total(driver).scheduled).toBe(400);
  expect(driver.scheduledSeconds()).toBe(0.6);
  expect(server.connections).toBe(4);
});

test("another share holds from its instant on, so that two workers send all of it once", async () => {
  const server = serve(() => ok);
  const plan = planFor(server, rates);
  const share = (index: number, count: number) => ({ worker: { index, count }, joinNs: 200e6 });
  const [stays, joins] = await Promise.all([
    driveChanging(plan, [{ atMs: 100, change: () => share(0, 2) }]),
    driveChanging({ ...plan, ...share(1, 2) }, []),
  ]);
  expect(total(stays).scheduled + total(joins).scheduled).toBe(400);
  expect(total(joins)).toMatchObject({ lost: 0, scheduled: expect.closeTo(100, -0.5) as never });
  expect(server.received.length).toBe(400);
});

test("requests are appended, changed and taken out, each with its own record", async () => {
  const server = serve(() => ok);
  const driver = await driveChanging(planFor(server, { ...rates, requests: [get("/a"), get("/b")] }), [
    { atMs: 100, change: () => ({ requests: [{ ...get("/a"), weight: 0 }, { ...get("/b"), path: "/B" }, get("/c")] }) },
  ]);
  whole(driver, [server]);
  const counts = (path: string) => server.received.filter((text) => text.startsWith(`GET ${path} `)).length;
  const [a, b, c] = allRecordings({ backends: driver.recordings() }).map(({ account }) => account.completed);
  expect([a, b, c]).toEqual([counts("/a"), counts("/b") + counts("/B"), counts("/c")]);
  expect(Math.min(counts("/a"), counts("/b"), counts("/B"), counts("/c"))).toBeGreaterThan(20);
});

test("a backend comes and another goes: its connections are closed, no request is lost", async () => {
  const old = serve(() => ok);
  const next = serve(() => ok);
  let open = 0;
  const driver = await driveChanging(planFor(old, { ...rates, backends: [backend("old", 100, old.port)] }), [
    { atMs: 80, change: () => ({ backends: [backend("old", 50, old.port), backend("next", 50, next.port)] }) },
    { atMs: 200, change: () => ({ backends: [backend("old", 0, old.port), backend("next", 100, next.port)] }) },
    {
      atMs: 350,
      change: () => {
        open = old.sockets.filter(({ readyState }) => readyState === 1).length;
        return {};
      },
    },
  ]);
  whole(driver, [old, next]);
  expect(open).toBe(0);
  expect(driver.recordings().map(({ name }) => name)).toEqual(["old", "next"]);
  expect(next.received.length).toBeGreaterThan(200);
  expect(old.received.length).toBeGreaterThan(60);
});

test("what a backend that gets no more still completes counts as completed while requests were due", async () => {
  const unanswered: Socket<undefined>[] = [];
  let isShifted = false;
  const old = serve((_, { sockets }) => {
    if (isShifted) return ok;
    unanswered.push(sockets.at(-1) as Socket<undefined>);
    return "silence";
  });
  const next = serve(() => "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
  const { durationNs: _, ...endless } = planFor(old, { timeoutNs: 20e9, connections: 1 });
  const driver = await Driver.create(endless);
  await driver.open(never);
  const stop = new AbortController();
  const ended = driver.run(monotonicNs(), stop.signal, () => {});
  await eventually(() => total(driver).unsent > 50);
  await driver.follow({ ...endless, backends: [backend("web", 0, old.port), backend("next", 100, next.port)] });
  isShifted = true;
  for (const socket of unanswered) socket.write(ok);
  await eventually(() => {
    const { unsent, inFlight } = mergeRecordings(driver.recordings()[0]?.paths ?? []).account;
    return unsent + inFlight === 0;
  });
  stop.abort();
  await ended;
  expect(total(driver).completed).toBeGreaterThan(50);
  expect(driver.completedInTime()).toBe(total(driver).completed);
});

test("a backend that cannot be reached fails its own requests only", async () => {
  const server = serve(() => ok);
  const gone = serve(() => ok);
  gone.stop();
  const unknown = {
    ...backend("unknown", 25, 1),
    origin: { scheme: "http" as const, host: "nonesuch.invalid", port: 1 },
  };
  const driver = await driveChanging(planFor(server, { ...rates, durationNs: 1200e6 }), [
    {
      atMs: 50,
      change: () => ({ backends: [backend("web", 50, server.port), backend("gone", 25, gone.port), unknown] }),
    },
  ]);
  const [web, refused, unresolved] = driver.recordings().map(({ paths }) => mergeRecordings(paths).account);
  expect(web).toMatchObject({ completed: web?.scheduled, failed: {} });
  expect(refused).toMatchObject({ completed: 0, failed: { refused: refused?.scheduled } });
  expect(unresolved).toMatchObject({ completed: 0, failed: { dns: unresolved?.scheduled } });
});

test("connections become more and fewer, and the busy ones finish first", async () => {
  const server = serve(() => ok);
  const openNow = () => server.sockets.filter(({ readyState }) => readyState === 1).length;
  const seen: number[] = [];
  const look = (connections: number) => () => {
    seen.push(openNow());
    return { connections };
  };
  const driver = await driveChanging(planFor(server, { ...rates, connections: 4, durationNs: 600e6 }), [
    { atMs: 50, change: look(16) },
    { atMs: 250, change: look(2) },
    { atMs: 450, change: look(2) },
  ]);
  whole(driver, [server]);
  expect(seen).toEqual([4, 16, 2]);
  expect(server.connections).toBe(16);
});

test("timeout, lifetime and expected status change without a sample lost", async () => {
  const server = serve((n) => (n % 2 === 0 ? ok : "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
  const driver = await driveChanging(planFor(server, { ...rates, requests: [get("/a")] }), [
    {
      atMs: 200,
      change: () => ({
        requests: [{ ...get("/a"), expectStatus: [200, 404] }],
        connectionLifetimeNs: 50e6,
        timeoutNs: 2e9,
      }),
    },
  ]);
  const { scheduled, completed, failed } = total(driver);
  expect(completed + (failed.unexpectedStatus ?? 0)).toBe(scheduled);
  expect(failed.unexpectedStatus).toBeGreaterThan(50);
  expect(failed.unexpectedStatus).toBeLessThan(150);
  expect(server.connections).toBeGreaterThan(16);
});

test("a plan that needs a new worker is refused by name, and the present one goes on", async () => {
  const server = serve(() => ok);
  const plan = planFor(server, rates);
  const driver = await Driver.create(plan);
  const wrong: Partial<WorkerPlan>[] = [
    { seed: 2 },
    { pacing: "relaxed" },
    { arrivals: "Poisson" },
    { tls: { ...plan.tls, insecure: true } },
    { requests: [get("/a")] },
    { backends: [backend("web", 100, 1)] },
  ];
  for (const change of wrong) {
    await expect(driver.follow({ ...plan, ...change })).rejects.toThrow("Cannot follow the changed worker plan");
  }
  await driver.open(never);
  await driver.run(monotonicNs(), never, () => {});
  whole(driver, [server]);
});

test("a worker that waits for its start takes another share and other requests", async () => {
  const server = serve(() => ok);
  const plan = planFor(server, rates);
  const driver = await Driver.create(plan);
  await driver.open(never);
  await driver.follow({ ...plan, worker: { index: 1, count: 4 }, requests: [get("/a"), get("/b"), get("/c")] });
  await driver.run(monotonicNs(), never, () => {});
  whole(driver, [server]);
  expect(total(driver).scheduled).toBe(100);
  expect(server.received.some((text) => text.startsWith("GET /c"))).toBe(true);
});
