// Whether a LoadTest is on its way, as kstatus has it, and with it kubectl wait, Argo CD and Flux: Reconciling while it
// gets there by itself, Stalled when it does not without somebody's help, neither when it is there
// (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
import type { Finding } from "../loadtest/load-test-status.ts";

/** What conditions say in the course of a normal run. */
const quiet: readonly string[] = [
  "Valid",
  "WorkersStarting",
  "AllRunning",
  "AsExpected",
  "Finished",
  "NoneWanted",
  "InProgress",
];

/** Workers that a kubelet or the controller itself brings back; nothing else passes without help. */
const passing: readonly string[] = [
  "WorkerFailed",
  "OutOfMemory",
  "Evicted",
  "Preempted",
  "NodeLost",
  "WorkerDeleted",
  "StartDelayed",
];

/** Endings that are nobody's wish. */
export const failedEndings: readonly string[] = ["WorkersFailed", "StartDeadlineExceeded", "NotAccepted"];

/** Whether the condition says that something is wrong. */
export function isTrouble({ reason }: Pick<Finding, "reason">): boolean {
  return !quiet.includes(reason);
}

/** The conditions Reconciling and Stalled, from those that say how things are. */
export function progressFindings(accepted: Finding, workersReady: Finding, complete: Finding): Finding[] {
  const hasEnded = complete.status === "True";
  const standstill = [accepted, workersReady, complete].find((finding) =>
    finding === complete
      ? hasEnded && failedEndings.includes(finding.reason)
      : !hasEnded && finding.status === "False" && isTrouble(finding) && !passing.includes(finding.reason),
  );
  const isMoving = standstill === undefined && !hasEnded && workersReady.status === "False";
  const present = standstill ?? (hasEnded ? complete : workersReady);
  const finding = (type: string, holds: boolean): Finding => ({
    ...present,
    type,
    status: holds ? "True" : "False",
  });
  return [finding("Reconciling", isMoving), finding("Stalled", standstill !== undefined)];
}
