// What is tried before a load: each path once at each backend, with the first GET or HEAD that names it. Other methods
// may change something at the target, and are not sent before they are due.
import type { PlannedRequest, WorkerPlan } from "./worker-plan.ts";

/** At most: a request waits until the one before has its response. */
const perSecond = 100;

/** One plan for each backend in use, of requests that are each due once; none when there is nothing to try. */
export function preflightPlans(plan: WorkerPlan): WorkerPlan[] {
  const { generation, tls, timeoutNs, seed } = plan;
  const requests = probes(plan.requests);
  if (requests.length === 0) return [];
  return plan.backends
    .filter(({ percent }) => percent > 0)
    .map((backend) => ({
      generation,
      worker: { index: 0, count: 1 },
      backends: [{ ...backend, percent: 100 }],
      tls,
      requests,
      requestsPerSecond: perSecond,
      durationNs: (requests.length / perSecond) * 1e9,
      arrivals: "Constant",
      seed,
      connections: 1,
      timeoutNs,
      pacing: "relaxed",
      barrier: false,
    }));
}

function probes(requests: readonly PlannedRequest[]): PlannedRequest[] {
  const safe = requests.filter(({ method, weight }) => weight > 0 && (method === "GET" || method === "HEAD"));
  const first = safe.filter(({ path }, index) => safe.findIndex((other) => other.path === path) === index);
  return first.map((request) => ({ ...request, weight: 1 }));
}
