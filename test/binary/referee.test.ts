import { expect, test } from "bun:test";
import Ajv from "ajv";
import { imbalance } from "../../lib/stats/account.ts";
import { Maximum } from "../../lib/stats/maximum.ts";
import type { Summary } from "../../lib/stats/summary.ts";
import { binary, linesOf, loadtest, startTarget } from "./process.ts";

async function runJson(args: readonly string[]): Promise<Summary> {
  const { out } = await loadtest(["run", ...args, "--quiet", "--output", "json"]);
  return JSON.parse(out);
}

test("every fault that the server commits is reported by its kind, in exactly its number", async () => {
  const faults = {
    reset: 7,
    close: 5,
    "reset-mid-body": 6,
    truncated: 8,
    malformed: 4,
    timeout: 3,
    redirect: 9,
    "status-500": 11,
    "status-404": 10,
  };
  const target = await startTarget(Object.entries(faults).flatMap(([kind, n]) => ["--fault", `${kind}:${n}@9`]));
  const summary = await runJson([target.url, "--rate", "1000", "--duration", "1s", "--timeout", "500ms"]);
  const report = (await target.stop()) as unknown as { requests: number; faults: Record<string, number> };
  expect(report).toMatchObject({ requests: 1000, faults });
  expect(summary).toMatchObject({
    scheduled: 1000,
    sent: 1000,
    completed: 1000 - 7 - 5 - 6 - 8 - 4 - 3 - 11 - 10,
    failed: { resetBeforeFirstByte: 7 + 5, resetMidBody: 6, truncated: 8, malformed: 4, unexpectedStatus: 11 + 10 },
    timedOut: 3,
  });
  expect(summary.statusCodes).toMatchObject({ 302: 9, 500: 11, 404: 10 });
  expect(imbalance(summary)).toBe(0);
});

test.each(["GET", "HEAD"])("every framing of a response to %s is understood, however it is split", async (method) => {
  const target = await startTarget(["--framing", "mixed", "--split", "--body-bytes", "3000"]);
  const summary = await runJson([target.url, "--method", method, "--rate", "400", "--duration", "2s"]);
  const report = (await target.stop()) as unknown as { framings: Record<string, number> };
  expect(summary).toMatchObject({ scheduled: 800, completed: 800, failed: {} });
  expect(Object.keys(report.framings).length).toBe(8);
});

/** The quantile p of the latency after one stall of X in a run of T, both ms, drained at 1/ρ times the asked rate. */
function afterStallMs(p: number, X: number, T: number, rho: number): number {
  return X - (1 - p) * T * (1 - rho);
}

test.each([8, 256])(
  "a stall of the server is charged to every request that was due in it, on %d connections",
  async (connections) => {
    const target = await startTarget(["--stall", "1s:1200ms"]);
    const args = ["--rate", "1000", "--duration", "6s", "--connections", String(connections)];
    const summary = await runJson([target.url, ...args]);
    await target.stop();
    expect(summary).toMatchObject({ scheduled: 6000, completed: 6000 });
    for (const [name, p] of [
      ["p90", 0.9],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const) {
      const measuredMs = summary.latencyUs[name] / 1e3;
      expect(measuredMs).toBeGreaterThan(0.95 * afterStallMs(p, 1200, 6000, 0));
      expect(measuredMs).toBeLessThan(1.05 * afterStallMs(p, 1200, 6000, 0.5)); // a busy machine drains slowly
    }
    // Only what was under way when the server froze took its time in the server; the rest was waiting to be sent.
    expect(summary.serviceTimeUs.p90).toBeLessThan(300e3);
    expect(summary.connectionWaitUs.p95).toBeGreaterThan(0.5 * summary.slipUs.p95);
  },
);

test("--find-max finds the capacity of a server", async () => {
  const target = await startTarget(["--service-time", "2ms", "--servers", "4"]);
  const search = ["--find-max", "--duration", "3s", "--threshold", "p99=50ms", "--quiet", "--output", "json"];
  const { out, err } = await loadtest(["run", target.url, ...search]);
  await target.stop();
  expect(err).toBe("");
  const found = JSON.parse(out) as Maximum;
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, formats: { "date-time": true } });
  ajv.validate(Maximum, found);
  expect(ajv.errors).toBeNull();
  expect(found.probes.length).toBeLessThanOrEqual(12);
  expect(Math.abs((found.requestsPerSecond as number) / 2000 - 1)).toBeLessThan(0.1);
}, 120_000);

test("--find-max that is interrupted says nothing of the rate it was at", async () => {
  const target = await startTarget(["--delay", "20ms"]);
  const args = ["run", target.url, "--find-max", "--connections", "2", "--duration", "2s", "--output", "json"];
  const child = Bun.spawn([binary, ...args], { stdout: "pipe", stderr: "pipe" });
  for await (const line of linesOf(child.stderr)) if (/^ +1 /.test(line)) break;
  await Bun.sleep(800); // the second probe is under way
  child.kill("SIGINT");
  const found = (await child.stdout.json()) as Maximum;
  expect(await child.exited).toBe(4);
  await target.stop();
  expect(found.probes.map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([null]);
  expect(found.requestsPerSecond).toBeNull();
});

test("thresholds decide: kept passes, broken exits with 3", async () => {
  const target = await startTarget(["--delay", "20ms"]);
  const load = [target.url, "--rate", "100", "--duration", "1s", "--quiet"];
  const kept = await loadtest(["run", ...load, "--threshold", "p50=200ms", "--threshold", "errorRate=0%"]);
  const broken = await loadtest(["run", ...load, "--threshold", "p50=10ms", "--output", "json"]);
  await target.stop();
  expect([0, 4]).toContain(kept.code); // a busy machine's generator may have been late
  expect([3, 4]).toContain(broken.code);
  const [threshold] = (JSON.parse(broken.out) as Summary).thresholds;
  expect(threshold).toMatchObject({ name: "p50", limit: 10_000, passed: false });
});
