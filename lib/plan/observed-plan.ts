// The plan that a Pod carries: somebody may have edited it.
import Ajv from "ajv";
import { WorkerPlan } from "../load/worker-plan.ts";
import { planAnnotation } from "./names.ts";
import type { Pod } from "./objects.ts";

/** Compiled: all plans are checked at every look. */
const isPlan = new Ajv({ strict: true, allowUnionTypes: true }).compile<WorkerPlan>(WorkerPlan);

/** The plan in the Pod's annotation; undefined: that is no plan. */
export function observedPlan(pod: Pod): WorkerPlan | undefined {
  try {
    const value: unknown = JSON.parse(pod.metadata.annotations?.[planAnnotation] ?? "");
    return isPlan(value) ? value : undefined;
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
