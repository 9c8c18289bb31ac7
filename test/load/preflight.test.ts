import { expect, test } from "bun:test";
import fc from "fast-check";
import { preflightPlans } from "../../lib/load/preflight.ts";
import type { PlannedRequest, WorkerPlan } from "../../lib/load/worker-plan.ts";
import { parseWorkerPlan } from "../../lib/load/worker-plan.ts";
import { Workload } from "../../lib/load/workload.ts";
import { backend, planFor } from "../driver/drive.ts";

const request = fc.record<PlannedRequest>({
  method: fc.constantFrom("GET", "HEAD", "POST"),
  path: fc.constantFrom("/a", "/b", "/c"),
  headers: fc.constant([]),
  weight: fc.nat(2),
});
const load = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 8 }),
  percents: fc.constantFrom([100], [0, 100], [30, 70], [100, 0, 0]),
  arrivals: fc.constantFrom<WorkerPlan["arrivals"]>("Constant", "Poisson"),
});

test("each path that may be tried is due once at each backend in use, by its first request, and nothing else is", () => {
  fc.assert(
    fc.property(load, ({ requests, percents, arrivals }) => {
      const backends = percents.map((percent, index) => backend(`b${index}`, percent, 80 + index));
      const tried = preflightPlans(planFor({ port: 80 }, { requests, backends, arrivals, barrier: true }));
      const safe = requests.filter(({ method, weight }) => method !== "POST" && weight > 0);
      const paths = [...new Set(safe.map(({ path }) => path))];
      const used = backends.filter(({ percent }) => percent > 0);
      expect(tried.map((plan) => plan.backends.map(({ name }) => name))).toEqual(
        paths.length === 0 ? [] : used.map(({ name }) => [name]),
      );
      for (const plan of tried) {
        expect(parseWorkerPlan(JSON.stringify(plan))).toEqual(plan);
        expect(plan.requests.map(({ path }) => path)).toEqual(paths);
        for (const { path, method } of plan.requests) {
          expect(method).toBe(safe.find((one) => one.path === path)?.method as string);
        }
        expect(new Workload(plan, 0).due(Number.MAX_SAFE_INTEGER)).toEqual(paths.map(() => 1));
      }
    }),
  );
});
