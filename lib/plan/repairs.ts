// What of the things that were done was done to help: workers replaced, added, given up as stuck, or told their plan again.
import { effectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { attemptLabel, workerLabel } from "./names.ts";
import type { Pod } from "./objects.ts";
import { isRelief } from "./relief.ts";
import { isReminder } from "./telling.ts";
import type { Action } from "./world.ts";

/** Why a Pod is deleted whose worker hangs. */
export const stuckReason = "its worker runs and says nothing any more";

export interface Repairs {
  /** New workers that are no repair. */
  first: Pod[];
  replaced: Pod[];
  added: Pod[];
  /** Names of Pods. */
  stuck: string[];
  reminded: string[];
}

export function repairsIn(loadTest: LoadTest, done: readonly Action[]): Repairs {
  const repairs: Repairs = { first: [], replaced: [], added: [], stuck: [], reminded: [] };
  for (const action of done) {
    if (action.kind === "createPod") repairs[kindOf(action.pod, loadTest)].push(action.pod);
    if (action.kind === "deletePod" && action.reason === stuckReason) repairs.stuck.push(action.name);
    if (action.kind === "setPlan" && isReminder(action)) repairs.reminded.push(action.name);
  }
  return repairs;
}

function kindOf({ metadata: { labels = {} } }: Pod, loadTest: LoadTest): "first" | "replaced" | "added" {
  if (labels[attemptLabel] !== undefined) return "replaced";
  return isRelief(loadTest, effectiveSpec(loadTest.spec), Number(labels[workerLabel])) ? "added" : "first";
}
