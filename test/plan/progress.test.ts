import { expect, test } from "bun:test";
import type { Finding } from "../../lib/loadtest/load-test-status.ts";
import { progressFindings } from "../../lib/plan/progress.ts";

const finding = (type: string, status: Finding["status"], reason: string): Finding => ({
  type,
  status,
  reason,
  message: `Because of ${reason}.`,
});
const valid = finding("Accepted", "True", "Valid");
const inProgress = finding("Complete", "False", "InProgress");
const ready = (status: Finding["status"], reason: string) => finding("WorkersReady", status, reason);

test.each<[what: string, accepted: Finding, workersReady: Finding, complete: Finding, kstatus: string, reason: string]>(
  [
    ["starting", valid, ready("False", "WorkersStarting"), inProgress, "Reconciling", "WorkersStarting"],
    ["running", valid, ready("True", "AllRunning"), inProgress, "neither", "AllRunning"],
    ["running after trouble", valid, ready("True", "OutOfMemory"), inProgress, "neither", "OutOfMemory"],
    ["lost with its node", valid, ready("False", "NodeLost"), inProgress, "Reconciling", "NodeLost"],
    ["without image", valid, ready("False", "ImagePullFailed"), inProgress, "Stalled", "ImagePullFailed"],
    ["over quota", valid, ready("False", "QuotaExceeded"), inProgress, "Stalled", "QuotaExceeded"],
    ["not let in", valid, ready("False", "TargetRefused"), inProgress, "Stalled", "TargetRefused"],
    ["in trouble of a new kind", valid, ready("False", "OutOfFlux"), inProgress, "Stalled", "OutOfFlux"],
    [
      "refused",
      finding("Accepted", "False", "ServiceNotFound"),
      ready("True", "AllRunning"),
      inProgress,
      "Stalled",
      "ServiceNotFound",
    ],
    [
      "finished",
      valid,
      ready("False", "Finished"),
      finding("Complete", "True", "WorkersFinished"),
      "neither",
      "WorkersFinished",
    ],
    [
      "failed",
      valid,
      ready("False", "Finished"),
      finding("Complete", "True", "WorkersFailed"),
      "Stalled",
      "WorkersFailed",
    ],
  ],
)("a LoadTest that is %s", (_, accepted, workersReady, complete, kstatus, reason) => {
  const conditions = progressFindings(accepted, workersReady, complete);
  expect(conditions.map(({ type }) => type)).toEqual(["Reconciling", "Stalled"]);
  expect(conditions.find(({ status }) => status === "True")?.type ?? "neither").toBe(kstatus);
  for (const told of conditions) expect(told).toMatchObject({ reason, message: `Because of ${reason}.` });
});
