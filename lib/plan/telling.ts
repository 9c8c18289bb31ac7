// When a worker was told its plan, which its Pod says itself. One that goes on by an older plan is told again, some times,
// later each time: any changed annotation makes the kubelet look after the Pod's files, and it may have missed this one.
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { Finding } from "../loadtest/load-test-status.ts";
import type { Worker } from "./crew.ts";
import { rateAchievedType } from "./live.ts";
import { planAnnotation, toldAnnotation } from "./names.ts";
import type { Observed, Pod } from "./objects.ts";
import type { Action } from "./world.ts";

/** From telling a worker to its word that it follows: the kubelet takes half a second, a busy one a few. Doubled each time. */
const patienceMs = 5000;
/** The kubelet looks after all files by itself once a minute or so. */
const mostReminders = 4;
const mostNamed = 10;

type SetPlan = Extract<Action, { kind: "setPlan" }>;

interface Telling {
  /** The last time, ISO 8601. */
  at: string;
  /** How often it was told again. */
  reminders: number;
}

export function setPlan(pod: Observed<Pod>, plan: WorkerPlan, nowMs: number): Action {
  return tell(pod, JSON.stringify(plan), { at: new Date(nowMs).toISOString(), reminders: 0 });
}

function tell({ metadata }: Observed<Pod>, plan: string, telling: Telling): Action {
  const { namespace = "", name, uid, annotations = {} } = metadata;
  const former = annotations[planAnnotation] ?? "";
  return { kind: "setPlan", namespace, name, uid, former, plan, told: JSON.stringify(telling) };
}

/** Whether it tells what had been told before. */
export function isReminder({ plan, former }: SetPlan): boolean {
  return plan === former;
}

/** Tells those again that go on by an older plan, but for those that there are `orders` for. */
export function remindersFor(workers: readonly Worker[], orders: readonly Action[], nowMs: number): Action[] {
  const ordered = new Set(orders.map((order) => ("uid" in order ? order.uid : undefined)));
  return workers.flatMap((worker): Action[] => {
    const { pod } = worker;
    const telling = tellingOf(pod);
    if (telling === undefined || !isBehind(worker, nowMs) || ordered.has(pod.metadata.uid)) return [];
    const { at, reminders } = telling;
    if (reminders >= mostReminders || nowMs < Date.parse(at) + patienceMs * 2 ** reminders) return [];
    const again = { at: new Date(nowMs).toISOString(), reminders: reminders + 1 };
    return [tell(pod, pod.metadata.annotations?.[planAnnotation] ?? "", again)];
  });
}

/** That workers go on by an older plan, if some do: what is sent is not what was asked for last. */
export function behindFinding(workers: readonly Worker[], nowMs: number): Finding | undefined {
  const seats = workers.filter((worker) => isBehind(worker, nowMs)).map(({ seat }) => seat);
  if (seats.length === 0) return undefined;
  const more = seats.length > mostNamed ? ` and ${seats.length - mostNamed} more` : "";
  const names = `${seats.length === 1 ? "Worker" : "Workers"} ${seats.slice(0, mostNamed).join(", ")}${more}`;
  return {
    type: rateAchievedType,
    status: "False",
    reason: "PlanNotFollowed",
    message: `${names} of ${workers.filter(({ hasEnded }) => !hasEnded).length} ${seats.length === 1 ? "goes" : "go"} on by an older plan.`,
  };
}

/** It was told a plan a while ago, and has named an older one since. */
function isBehind({ pod, isRunning, wasHeard, hasAcknowledged, spokeAtMs }: Worker, nowMs: number): boolean {
  const telling = tellingOf(pod);
  if (telling === undefined || !isRunning || !wasHeard || hasAcknowledged) return false;
  const sinceMs = Math.min(nowMs, spokeAtMs ?? nowMs) - Date.parse(telling.at);
  return telling.reminders > 0 || sinceMs >= patienceMs;
}

/** undefined: it has never been told anything since it was made, or somebody has edited it. */
function tellingOf({ metadata }: Pod): Telling | undefined {
  try {
    const telling: Partial<Telling> | null = JSON.parse(metadata.annotations?.[toldAnnotation] ?? "");
    const { at = "", reminders = Number.NaN } = telling ?? {};
    return Number.isInteger(reminders) && !Number.isNaN(Date.parse(at)) ? { at, reminders } : undefined;
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
