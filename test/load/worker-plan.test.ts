import { expect, test } from "bun:test";
import Ajv from "ajv";
import { parseWorkerPlan, WorkerPlan } from "../../lib/load/worker-plan.ts";

const plan = {
  generation: 1,
  worker: { index: 0, count: 1 },
  backends: [{ name: "web", percent: 100, origin: { scheme: "http", host: "web.test", port: 80 } }],
  tls: { caFiles: [], insecure: false },
  requests: [{ method: "GET", path: "/", headers: [], weight: 1 }],
  requestsPerSecond: 1000,
  arrivals: "Constant",
  seed: 1,
  connections: 64,
  timeoutNs: 1e9,
  pacing: "relaxed",
  barrier: false,
};

test("the plan's schema is a well-formed schema", () => {
  expect(() => new Ajv({ strict: true, allowUnionTypes: true }).compile(WorkerPlan)).not.toThrow();
});

test("a plan is read as it was written", () => {
  expect(parseWorkerPlan(JSON.stringify(plan))).toEqual(plan as WorkerPlan);
  expect(parseWorkerPlan(JSON.stringify({ ...plan, requestsPerSecond: "max" })).requestsPerSecond).toBe("max");
});

test("what a plan counts or is dated by has bounds: somebody may have edited it", () => {
  const change = { atNs: 0, clockNs: 0, requestsPerSecond: 1 };
  for (const [field, wrong] of Object.entries({
    startAtMs: [-1, 1e300, Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1],
    worker: [
      { index: 500, count: 500 },
      { index: 0, count: 501 },
    ],
    generation: [1e300],
    durationNs: [1e300],
    joinNs: [1e300],
    changes: [[{ ...change, dueCount: 1e300 }], Array(101).fill(change)],
  })) {
    for (const value of wrong)
      expect(() => parseWorkerPlan(JSON.stringify({ ...plan, [field]: value }))).toThrow(field);
  }
  const most = { ...plan, startAtMs: 253_402_300_799_999, worker: { index: 499, count: 500 }, durationNs: 2 ** 63 };
  expect(parseWorkerPlan(JSON.stringify(most))).toEqual(most as WorkerPlan);
});

test("every wrong field of a plan is named", () => {
  const wrong = { ...plan, requestsPerSecond: 0, connections: -1, pacing: "hasty", extra: 1 };
  for (const field of ["requestsPerSecond", "connections", "pacing", "additional properties"]) {
    expect(() => parseWorkerPlan(JSON.stringify(wrong))).toThrow(field);
  }
  expect(() => parseWorkerPlan("{")).toThrow("must be JSON");
});
