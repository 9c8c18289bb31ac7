import { expect, test } from "bun:test";
import type { TargetReport } from "../../lib/target/report.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok } from "./running-target.ts";
import { spawnTarget } from "./spawned-target.ts";

/** A target that stalls; `sinceFirstMs` counts from before its first request, which has been answered. */
async function stalled(...args: string[]) {
  const target = spawnTarget("--port", "0", "--output", "json", ...args);
  const { url } = JSON.parse(await target.line());
  const client = await RawClient.connect(url);
  const sentAtNs = Bun.nanoseconds();
  client.send(get("/first"));
  await client.receive(isBytes(ok.length));
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<TargetReport> => {
    target.child.kill(signal);
    const report = JSON.parse(await target.line());
    expect(await target.child.exited).toBe(0);
    return report;
  };
  return { url, client, sinceFirstMs: () => (Bun.nanoseconds() - sentAtNs) / 1e6, stop };
}

test("a stall begins on time though nothing arrives, and what queues meanwhile is answered in order after it", async () => {
  const { url, client, sinceFirstMs, stop } = await stalled("--stall", "100ms:500ms");
  await Bun.sleep(200);
  const before = sinceFirstMs();
  client.send(get("/a") + get("/b").replace("GET", "HEAD"));
  const newcomer = await RawClient.connect(url); // the kernel accepts for it
  newcomer.send(get("/c"));
  const all = ok + ok + ok.slice(0, -3);
  expect(await client.receive(isBytes(all.length))).toBe(all);
  expect(await newcomer.receive(isBytes(ok.length))).toBe(ok);
  if (before < 500) expect(sinceFirstMs()).toBeGreaterThanOrEqual(600);
  const report = await stop();
  expect(report).toMatchObject({ requests: 4, connections: 2 });
  expect((report.lastArrivalAtMs as number) - (report.firstArrivalAtMs as number)).toBeGreaterThanOrEqual(599);
});

test("several stalls come each at its time, in whatever order they are given", async () => {
  const { client, sinceFirstMs, stop } = await stalled("--stall", "800ms:300ms", "--stall", "50ms:400ms");
  await Bun.sleep(200);
  client.send(get("/a"));
  await client.receive(isBytes(2 * ok.length));
  expect(sinceFirstMs()).toBeGreaterThanOrEqual(450);
  await Bun.sleep(Math.max(0, 950 - sinceFirstMs()));
  client.send(get("/b"));
  await client.receive(isBytes(3 * ok.length));
  expect(sinceFirstMs()).toBeGreaterThanOrEqual(1100);
  await stop();
});

test("a frozen server does not work: services go on where they were", async () => {
  const { client, sinceFirstMs, stop } = await stalled("--service-time", "50ms", "--stall", "100ms:300ms");
  client.send(get("/").repeat(4)); // two services fit in before the stall, less what the first request took
  await client.receive(isBytes(5 * ok.length));
  // By 400 ms one that went on working would be done; 550 ms, less what the stall began late.
  expect(sinceFirstMs()).toBeGreaterThanOrEqual(500);
  await stop();
});

test("a signal during a stall ends the server properly after it", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { client, sinceFirstMs, stop } = await stalled("--stall", "20ms:600ms");
    await Bun.sleep(150);
    client.send(get("/late"));
    const report = await stop(signal);
    expect(sinceFirstMs()).toBeGreaterThanOrEqual(620);
    expect(report.kind).toBe("report");
  }
});
