// What of the things that were done was done to help: workers replaced, added, given up as stuck, or told their plan again.
import type { Pod } from "./objects.ts";
import { isReminder } from "./telling.ts";
import type { Action } from "./world.ts";

/** Why a Pod is deleted whose worker hangs. */
export const stuckReason = "its worker runs and says nothing any more";

export interface Repairs {
  /** New workers that are no repair: the first of their seats, or as the LoadTest has changed. */
  wanted: Pod[];
  /** In the place of those that failed, hung or are gone. */
  replaced: Pod[];
  added: Pod[];
  /** Names of Pods. */
  stuck: string[];
  reminded: string[];
}

type Cause = Extract<Action, { kind: "createPod" }>["cause"];

const kinds: Readonly<Record<Cause, "wanted" | "replaced" | "added">> = {
  first: "wanted",
  changed: "wanted",
  failed: "replaced",
  gone: "replaced",
  relief: "added",
};

export function repairsIn(done: readonly Action[]): Repairs {
  const repairs: Repairs = { wanted: [], replaced: [], added: [], stuck: [], reminded: [] };
  for (const action of done) {
    if (action.kind === "createPod") repairs[kinds[action.cause]].push(action.pod);
    if (action.kind === "deletePod" && action.reason === stuckReason) repairs.stuck.push(action.name);
    if (action.kind === "setPlan" && isReminder(action)) repairs.reminded.push(action.name);
  }
  return repairs;
}
