import { expect, test } from "bun:test";
import { Driver } from "../../lib/driver/driver.ts";
import { monotonicNs, nowMs } from "../../lib/runtime/clock.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { allRecordings, mergeRecordings } from "../../lib/stats/recording.ts";
import { backend, drive, ok, planFor, serve } from "./drive.ts";

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

test("a response that comes after the timeout completes nothing, however soon after", async () => {
  const port = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => void setTimeout(() => socket.write(ok), 8) },
  });
  const { total } = await drive(planFor(port, { timeoutNs: 4e6, requestsPerSecond: 200, connections: 4 }));
  port.stop(true);
  expect(total.account).toMatchObject({ completed: 0 });
  expect(total.account.timedOut + total.account.unsent).toBe(total.account.scheduled);
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
  const server = serve((n, { stop }) => {
    if (n === 50) stop();
    return ok;
  });
  const { total } = await drive(planFor(server));
  expect(total.account.failed.refused).toBeGreaterThan(50);
  expect(imbalance(total.account)).toBe(0);
});

test("a stop ends the schedule there, with the account whole", async () => {
  const stop = new AbortController();
  const server = serve((n) => {
    if (n === 50) stop.abort();
    return ok;
  });
  const { durationNs: _, ...endless } = planFor(server);
  const { total } = await drive(endless, { stop: stop.signal });
  expect(total.account.scheduled).toBeGreaterThan(50);
  expect(total.account.scheduled).toBeLessThan(20_000);
  expect(total.account).toMatchObject({ completed: total.account.sent, inFlight: 0 });
  expect(imbalance(total.account)).toBe(0);
});

test.each([-150, 10])("before a stop that comes before the start, %i ms from now, nothing is due", async (inMs) => {
  const options = { stop: AbortSignal.abort(), startNs: monotonicNs() + inMs * 1e6 };
  const { total } = await drive(planFor(serve(() => ok)), options);
  expect(total.account).toMatchObject({ scheduled: 0, sent: 0, completed: 0, inFlight: 0, lost: 0 });
});

test("before its start a driver has recorded nothing", async () => {
  const driver = await Driver.create(planFor(serve(() => ok)));
  const { account } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
  expect(account.scheduled).toBe(0);
  expect(driver.scheduledSeconds()).toBe(0);
});

test("a start of its own is not told late: what the machine delayed is sent late, and nothing is lost", async () => {
  const { account } = (await drive(planFor(serve(() => ok)), { startNs: monotonicNs() - 150e6 })).total;
  expect(account).toMatchObject({ scheduled: 200, completed: 200, lost: 0 });
});

test("a start that was told in the past begins in mid-schedule, and what was due before counts as lost", async () => {
  const plan = planFor(
    serve(() => ok),
    { durationNs: 1e9, startAtMs: nowMs() - 800 },
  );
  const { account } = (await drive(plan, { startNs: monotonicNs() - 800e6 })).total;
  expect(account.scheduled).toBe(1000);
  expect(account.lost).toBeGreaterThanOrEqual(700);
  expect(account.completed + account.lost).toBe(1000);
});

test("a generator that stood still is late by itself, also for what it then gave up", async () => {
  const server = serve((n) => {
    if (n === 50) setTimeout(() => Bun.sleepSync(150));
    return ok;
  });
  const { driver, total } = await drive(planFor(server, { timeoutNs: 5e6, durationNs: 300e6 }));
  expect(total.account.unsent).toBeGreaterThan(50);
  expect(driver.generatorReport().slip.quantileNs(0.99)).toBeGreaterThan(50e6);
  expect(driver.generatorReport().counters.neglected).toBeGreaterThan(50);
  expect(imbalance(total.account)).toBe(0);
});

test("a target that cannot be reached at all is one clear error of its kind", async () => {
  const server = serve(() => ok);
  server.stop();
  expect(drive(planFor(server))).rejects.toMatchObject({
    kind: "refused",
    message: expect.stringContaining("connection refused") as never,
  });
  const origin = { scheme: "http" as const, host: "nonesuch.invalid", port: server.port };
  expect(drive(planFor(server, { backends: [{ name: "web", percent: 100, origin }] }))).rejects.toMatchObject({
    kind: "dns",
  });
});

test("a closed loop sends as fast as responses come, until the end, and knows no slip", async () => {
  const server = serve(() => ok);
  const { total } = await drive(planFor(server, { requestsPerSecond: "max", durationNs: 100e6 }));
  expect(total.account.completed).toBeGreaterThan(100);
  expect(total.account.completed).toBe(server.received.length);
  expect(total.slip.maxNs).toBe(0);
  expect(imbalance(total.account)).toBe(0);
});

test("a ramp sends as many requests as lie below it", async () => {
  const { durationNs: _, ...plan } = planFor(serve(() => ok));
  const stages = [
    { durationNs: 200e6, requestsPerSecond: 2000 },
    { durationNs: 200e6, requestsPerSecond: 0 },
  ];
  const { total } = await drive({ ...plan, requestsPerSecond: 1000, stages });
  expect(total.account).toMatchObject({ scheduled: 500, completed: 500 });
});

test("Poisson arrivals are accounted for as they fall, the same for the same seed", async () => {
  const server = serve(() => ok);
  const first = await drive(planFor(server, { arrivals: "Poisson", seed: 9 }));
  const second = await drive(planFor(server, { arrivals: "Poisson", seed: 9 }));
  expect(first.total.account.scheduled).toBe(second.total.account.scheduled);
  expect(first.total.account.scheduled).not.toBe(200);
  expect(first.total.account.completed).toBe(first.total.account.scheduled);
});

test("backends get their percent exactly, and one that stalls does not hold up the other", async () => {
  const stable = serve(() => ok);
  const canary = serve(() => "silence");
  const backends = [backend("stable", 90, stable.port), backend("canary", 10, canary.port), backend("off", 0, 1)];
  const { driver } = await drive(planFor(stable, { backends, timeoutNs: 1e9, connections: 16 }));
  const [one, two, off] = driver.recordings().map(({ name, paths }) => ({ name, ...mergeRecordings(paths) }));
  expect(one).toMatchObject({ name: "stable", account: { scheduled: 180, completed: 180 } });
  expect(two).toMatchObject({ name: "canary", account: { scheduled: 20, completed: 0 } });
  expect(off).toMatchObject({ name: "off", account: { scheduled: 0 } });
  expect(one?.latency.maxNs).toBeLessThan(1e9); // no request waited until those of the other were given up
});
