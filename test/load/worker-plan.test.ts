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

test("every wrong field of a plan is named", () => {
  const wrong = { ...plan, requestsPerSecond: 0, connections: -1, pacing: "hasty", extra: 1 };
  for (const field of ["requestsPerSecond", "connections", "pacing", "additional properties"]) {
    expect(() => parseWorkerPlan(JSON.stringify(wrong))).toThrow(field);
  }
  expect(() => parseWorkerPlan("{")).toThrow("must be JSON");
});
