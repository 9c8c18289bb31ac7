import { expect, test } from "bun:test";
import type { DepartedWorker } from "../../lib/loadtest/load-test-result.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import type { World } from "../../lib/plan/world.ts";
import { emptyAccount } from "../../lib/stats/account.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, conditionIn, loadTest } from "./cluster.ts";

/** A cluster whose worker has seen 50 errors in 2000 requests, after another one, which is gone, did well. */
class MovedCluster extends Cluster {
  departed: DepartedWorker[] = [];

  override world(): World {
    return { ...super.world(), departed: new Map([["u1", this.departed]]) };
  }

  override reports(): Map<string, WorkerReport> {
    const account = {
      ...emptyAccount(),
      scheduled: 2000,
      sent: 2000,
      completed: 1950,
      failed: { unexpectedStatus: 50 },
    };
    return new Map(
      [...super.reports()].map(([uid, report]) => [
        uid,
        report.snapshot === undefined ? report : { ...report, snapshot: { ...report.snapshot, account } },
      ]),
    );
  }
}

test.each([
  [0, "Aborted"],
  [10_000, "InProgress"],
])("a threshold is judged on all workers of the run, %d requests of those that are gone included", (before, reason) => {
  const cluster = new MovedCluster(
    loadTest({ duration: "1h", workers: 1, thresholds: { errorRate: "1%", abortOnFailure: true } }),
  );
  const message = formatTerminationMessage(workerRecording(0, [[completed(Array(before).fill(1e6))]]));
  cluster.departed = [{ uid: "before", worker: 0, joinNs: 0, message }];
  for (let pass = 0; pass < 3; pass++) {
    cluster.pass();
    cluster.settle();
    cluster.nowMs += 5000;
  }
  cluster.pass();
  expect(conditionIn(cluster.test, "Complete")?.reason).toBe(reason);
});
