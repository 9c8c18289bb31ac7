// What a worker left behind: the results in its container's termination messages, one for each time that it ran.
//
//   epoch 0   ├── scheduled ──┤ killed
//   epoch 1   ├──────── lost ───────┼── scheduled, as if from the start ──┤
//
// A worker that runs again counts what was due before as lost, having no memory. What an earlier epoch has told of that
// is taken off, so that every request is counted once. The kubelet keeps the last two epochs; older ones stay lost.
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { Account } from "../stats/account.ts";
import { type PartResult, parseTerminationMessage, type WorkerResult } from "../stats/termination-message.ts";
import type { ContainerState, Pod } from "./objects.ts";

export interface WorkerOutcome {
  /** In their order; together each request once. */
  results: WorkerResult[];
  /** Whether the last time it ran left a result. */
  hasLast: boolean;
}

/** Of a Pod that has ended, with the plan that it carries. */
export function workerOutcome(pod: Pod, plan: WorkerPlan): WorkerOutcome {
  const { last, earlier } = terminations(pod);
  const lastResult = resultIn(last, plan);
  const results = [resultIn(earlier, plan), lastResult].filter((result) => result !== undefined);
  return { results: withoutRepeats(results), hasLast: lastResult !== undefined };
}

type Termination = NonNullable<ContainerState["terminated"]>;

function terminations(pod: Pod): { last: Termination | undefined; earlier: Termination | undefined } {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === "worker");
  const last = status?.state?.terminated;
  const earlier = status?.lastState?.terminated;
  const isAnother = (status?.restartCount ?? 0) > 0 && earlier !== undefined && !isSameEpoch(earlier, last);
  return { last, earlier: isAnother ? earlier : undefined };
}

/** Instants are whole seconds: two epochs may share them, but no two results are the same text. */
function isSameEpoch(one: Termination, other: Termination | undefined): boolean {
  if (other === undefined) return false;
  if (one.message !== undefined && other.message !== undefined) return one.message === other.message;
  return one.startedAt !== undefined && one.startedAt === other.startedAt && one.finishedAt === other.finishedAt;
}

function resultIn(termination: Termination | undefined, { worker }: WorkerPlan): WorkerResult | undefined {
  const result = parseTerminationMessage(termination?.message ?? "");
  return result?.worker === worker.index ? result : undefined;
}

function withoutRepeats([first, second]: readonly WorkerResult[]): WorkerResult[] {
  if (first === undefined) return [];
  if (second === undefined) return [first];
  return [
    first,
    {
      ...second,
      account: lessKnown(second.account, first.account),
      backends: partsLessKnown(second.backends, first.backends),
      paths: partsLessKnown(second.paths, first.paths),
    },
  ];
}

function lessKnown(later: Account, earlier: Account): Account {
  const known = Math.min(later.lost, earlier.scheduled);
  return { ...later, scheduled: later.scheduled - known, lost: later.lost - known };
}

function partsLessKnown(later: PartResult[] | undefined, earlier: PartResult[] | undefined): PartResult[] | undefined {
  return later?.map((part, index) => {
    const known = earlier?.[index]?.account;
    return known === undefined ? part : { ...part, account: lessKnown(part.account, known) };
  });
}
