// Histories in which a controller is killed at every call in turn, before and after it has happened.
import type { History, Step } from "./history.ts";

const web = { service: "web", scheme: "http" as const };

function history(...steps: Step[]): History {
  return { seed: 7, replicas: 1, steps };
}

/** With one that stands by. */
function watchedHistory(...steps: Step[]): History {
  return { ...history(...steps), replicas: 2 };
}

export const scenarios: Readonly<Record<string, History>> = {
  "one worker without end, deleted": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 10 } },
    { atMs: 12_000, do: "delete", name: "a", policy: "Background" },
  ),
  "four workers, to the verdict": history({
    atMs: 100,
    do: "create",
    name: "a",
    spec: { ...web, requestsPerSecond: 20, workers: 4, duration: "8s" },
  }),
  "fewer and more workers at other rates": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2 } },
    { atMs: 8000, do: "edit", name: "a", change: { workers: 4, requestsPerSecond: 12 } },
    { atMs: 20_000, do: "edit", name: "a", change: { workers: 1, requestsPerSecond: 30 } },
  ),
  "orphaned, and made anew under the same name": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 3 } },
    { atMs: 8000, do: "delete", name: "a", policy: "Orphan" },
    { atMs: 8900, do: "create", name: "a", spec: { ...web, requestsPerSecond: 5, workers: 2, duration: "5s" } },
  ),
  "through a Canary that comes late and changes": history(
    {
      atMs: 100,
      do: "create",
      name: "a",
      spec: { canary: "split", scheme: "http", requestsPerSecond: 20, workers: 2 },
    },
    { atMs: 4000, do: "setCanary", backends: [{ service: "web", percent: 100 }] },
    {
      atMs: 15_000,
      do: "setCanary",
      backends: [
        { service: "web", percent: 50 },
        { service: "web2", percent: 50 },
      ],
    },
  ),
  "refused in mid-run, and accepted again": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2 } },
    { atMs: 8000, do: "edit", name: "a", change: { requestsPerSecond: 2000 } },
    { atMs: 16_000, do: "edit", name: "a", change: { requestsPerSecond: 10 } },
  ),
  "the only worker evicted, with time for its result": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 1 } },
    { atMs: 9000, do: "evictPod", pod: 0, isGraceful: true },
  ),
  "a Pod deleted, a node out of reach": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 3 } },
    { atMs: 7000, do: "deletePod", pod: 1 },
    { atMs: 12_000, do: "loseNode", node: 0, forMs: 10_000 },
    { atMs: 14_000, do: "edit", name: "a", change: { workers: 1 } },
  ),
  "made anew while a Pod of before is out of reach": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2 } },
    { atMs: 8000, do: "loseNode", node: 0, forMs: 12_000 },
    { atMs: 9000, do: "delete", name: "a", policy: "Background" },
    { atMs: 10_000, do: "create", name: "a", spec: { ...web, requestsPerSecond: 15 } },
  ),
  "another rate and other paths, then other Pods, live": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2 } },
    { atMs: 8000, do: "edit", name: "a", change: { requestsPerSecond: 30 } },
    { atMs: 11_000, do: "edit", name: "a", change: { requestsPerSecond: 5, paths: ["/new"] } },
    { atMs: 16_000, do: "edit", name: "a", change: { arrivals: "Poisson" } },
  ),
  "a worker that fails is replaced, a container restarted": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 3, duration: "25s" } },
    { atMs: 9000, do: "evictPod", pod: 1, isGraceful: true },
    { atMs: 12_000, do: "crashContainer", pod: 0 },
  ),
  "a kubelet that misses what is new": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2 } },
    { atMs: 7000, do: "overlookChanges", node: 0, changes: 2 },
    { atMs: 8000, do: "edit", name: "a", change: { requestsPerSecond: 10 } },
    { atMs: 34_000, do: "overlookChanges", node: 1, changes: 1 },
    { atMs: 35_000, do: "edit", name: "a", change: { state: "Stopped" } },
  ),
  "paused, resumed and stopped": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2, duration: "1h" } },
    { atMs: 8000, do: "edit", name: "a", change: { state: "Paused" } },
    { atMs: 14_000, do: "edit", name: "a", change: { state: "Running" } },
    { atMs: 20_000, do: "edit", name: "a", change: { state: "Stopped" } },
  ),
  "run again, and again while it runs": history(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2, duration: "5s" } },
    { atMs: 18_000, do: "edit", name: "a", change: { runID: "second" } },
    { atMs: 23_000, do: "edit", name: "a", change: { runID: "third", workers: 1 } },
    { atMs: 42_000, do: "edit", name: "a", change: { runID: null, requestsPerSecond: 30 } },
  ),
  "two leaders": history(
    { atMs: 0, do: "secondLeader", forMs: 30_000 },
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 3 } },
    { atMs: 8000, do: "edit", name: "a", change: { workers: 2 } },
  ),
  "two leaders, each with what it has heard": watchedHistory(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 3 } },
    { atMs: 5000, do: "secondLeader", forMs: 20_000 },
    { atMs: 8000, do: "edit", name: "a", change: { workers: 2 } },
  ),
  "handed over in mid-run": watchedHistory(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, workers: 2, duration: "20s" } },
    { atMs: 9000, do: "handOver", how: "killed", gapMs: 6000 },
    { atMs: 17_000, do: "handOver", how: "deposed", gapMs: -3000 },
    { atMs: 18_000, do: "edit", name: "a", change: { requestsPerSecond: 10 } },
  ),
  "handed over once it is over, then a Pod is deleted": watchedHistory(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, duration: "3s" } },
    { atMs: 15_000, do: "handOver", how: "stopped", gapMs: 500 },
    { atMs: 50_000, do: "deletePod", pod: 0 },
  ),
  "handed over once it is over, then deleted": watchedHistory(
    { atMs: 100, do: "create", name: "a", spec: { ...web, requestsPerSecond: 20, duration: "3s" } },
    { atMs: 15_000, do: "handOver", how: "deposed", gapMs: 4000 },
    { atMs: 50_000, do: "delete", name: "a", policy: "Background" },
  ),
};
