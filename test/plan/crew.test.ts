import { expect, test } from "bun:test";
import { readySinceMs, workerOf } from "../../lib/plan/crew.ts";
import type { ContainerState, Observed, Pod } from "../../lib/plan/objects.ts";
import { dismissals } from "../../lib/plan/staffing.ts";
import { Cluster, kinds, loadTest, nowMs, running } from "./cluster.ts";

const startedAt = "2030-01-01T00:00:00Z";
const sidecar = { ...running(startedAt), name: "a-proxy" };

/** The Pod of a worker beside which a mesh has injected a container, which the kubelet names first. */
function meshed(state: ContainerState, beside: ContainerState = sidecar.state): Observed<Pod> {
  const cluster = new Cluster(loadTest({ duration: "10s", workers: 1 }));
  cluster.pass();
  const [pod] = cluster.pods as [Observed<Pod>];
  const containerStatuses = [
    { ...sidecar, state: beside },
    { ...running(), state },
  ];
  return { ...pod, status: { phase: "Running", containerStatuses } };
}

test("a worker has ended when its own container has, whatever runs beside it", () => {
  const worker = workerOf(meshed({ terminated: { exitCode: 0 } }));
  expect(worker).toMatchObject({ hasEnded: true, isRunning: false });
  expect(workerOf(meshed({ running: { startedAt } }, { terminated: { exitCode: 0 } }))).toMatchObject({
    hasEnded: false,
    isRunning: true,
  });
});

test("a Pod in which others outlive the worker is deleted once the run is over", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  cluster.converge();
  cluster.edit({ state: "Stopped" });
  cluster.pass();
  const [pod] = cluster.pods as [Observed<Pod>];
  const { status } = meshed({ terminated: { exitCode: 0 } });
  pod.status = { ...status };
  expect(kinds(cluster.pass())).not.toContain("deletePod");
  expect(cluster.test.status?.phase).toBe("Finished");
  expect(cluster.pass()).toMatchObject([{ kind: "deletePod", name: pod.metadata.name }]);
  pod.status = { phase: "Succeeded" };
  expect(cluster.pass()).toEqual([]);
});

test("a worker is ready, and told its end, by the state of its own container", () => {
  const working = workerOf(meshed({ running: { startedAt } }, { waiting: { reason: "CrashLoopBackOff" } }));
  expect(readySinceMs(working, nowMs + 60_000)).toBe(nowMs);
  expect(dismissals([working], "", nowMs)).toMatchObject([{ kind: "setPlan" }]);
  const restarting = workerOf(meshed({ waiting: { reason: "CrashLoopBackOff" } }));
  expect(dismissals([restarting], "", nowMs)).toMatchObject([{ kind: "deletePod" }]);
});
