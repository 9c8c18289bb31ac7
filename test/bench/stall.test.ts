import { expect, test } from "bun:test";
import { latencyOf } from "../../scripts/driver-bench/peer.ts";
import { deviationFrom, medianLatency, type Stall, stallLatencyUs } from "../../scripts/driver-bench/stall.ts";

/** The latencies of requests that are due evenly, one by one: first come, first served by one server that stalls once. */
function simulate({ runSeconds, stallSeconds, rho, serviceSeconds }: Stall, ratePerSecond: number): Float64Array {
  const stallAt = runSeconds / 3;
  const drainSeconds = rho / ratePerSecond;
  let freeAt = 0;
  return Float64Array.from({ length: runSeconds * ratePerSecond }, (_, index) => {
    const dueAt = index / ratePerSecond;
    const isStalled = dueAt >= stallAt && dueAt < stallAt + stallSeconds;
    const startAt = Math.max(dueAt, freeAt, isStalled ? stallAt + stallSeconds : 0);
    freeAt = startAt + drainSeconds;
    return (startAt - dueAt + serviceSeconds) * 1e6;
  });
}

test("stallLatencyUs() is what a queue simulated request by request gives", () => {
  for (const rho of [0.01, 0.5, 0.8]) {
    for (const serviceSeconds of [0, 0.002]) {
      const stall = { runSeconds: 30, stallSeconds: 3.6, rho, serviceSeconds };
      const deviation = deviationFrom(stallLatencyUs(stall), latencyOf(simulate(stall, 1000)));
      for (const share of Object.values(deviation)) expect(Math.abs(share)).toBeLessThan(0.01);
    }
  }
});

test("stallLatencyUs() gives the worked numbers of a stall of 3 s in 30 s", () => {
  const latencyUs = stallLatencyUs({ runSeconds: 30, stallSeconds: 3, rho: 0, serviceSeconds: 0 });
  const expected = { mean: 150e3, p90: 0, p95: 1.5e6, p99: 2.7e6, p999: 2.97e6 };
  for (const [name, us] of Object.entries(expected)) {
    expect(latencyUs[name as keyof typeof expected]).toBeCloseTo(us, 3);
  }
});

test("quantiles that the stall does not reach are the service time", () => {
  const latencyUs = stallLatencyUs({ runSeconds: 60, stallSeconds: 1, rho: 0, serviceSeconds: 0.005 });
  expect(latencyUs.p95).toBe(5000);
});

test("deviationFrom() leaves out figures that the stall does not show in", () => {
  const expected = { mean: 100e3, p90: 0, p95: 5e3, p99: 200e3, p999: 400e3 };
  const found = { mean: 50e3, p90: 300, p95: 8e3, p99: 210e3, p999: 400e3 };
  const deviation = deviationFrom(expected, found);
  expect(deviation).toMatchObject({ mean: -0.5, p90: Number.NaN, p95: Number.NaN, p999: 0 });
  expect(deviation.p99).toBeCloseTo(0.05, 9);
});

test("medianLatency() takes the median of each figure by itself", () => {
  const runs = [1, 3, 2].map((n) => ({ mean: n, p90: -n, p95: 0, p99: 10 * n, p999: n }));
  expect(medianLatency(runs)).toEqual({ mean: 2, p90: -2, p95: 0, p99: 20, p999: 2 });
});
