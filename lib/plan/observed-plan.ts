// The plan that a Pod carries.
import { parseWorkerPlan, type WorkerPlan } from "../load/worker-plan.ts";
import { planAnnotation } from "./names.ts";
import type { Pod } from "./objects.ts";

/** The plan in the Pod's annotation, which somebody may have edited: compare it with one of ours before trusting it. */
export function observedPlan(pod: Pod): WorkerPlan | undefined {
  const text = pod.metadata.annotations?.[planAnnotation];
  try {
    return text === undefined ? undefined : (JSON.parse(text) as WorkerPlan);
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined; // not one of our plans
    throw error;
  }
}

/** The same, checked by itself; undefined when it is no plan. */
export function checkedPlan(pod: Pod): WorkerPlan | undefined {
  try {
    return parseWorkerPlan(pod.metadata.annotations?.[planAnnotation] ?? "");
  } catch (error: unknown) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
