// How the parts of a LoadTest are called in the cluster. Names are derived, never generated: whoever makes the same
// Pod twice is told that it exists.
import { createHash } from "node:crypto";
import { apiGroup } from "../loadtest/api-group.ts";

/** Name of the LoadTest that a Pod works for. */
export const loadTestLabel = `${apiGroup}/loadtest`;
/** Hash of the run that a Pod works in. */
export const runLabel = `${apiGroup}/run`;
/** Index of the worker, from 0: its seat, which a replacement takes over. */
export const workerLabel = `${apiGroup}/worker`;
/** How many had the seat before, if any. */
export const attemptLabel = `${apiGroup}/attempt`;
/** The worker's plan, as JSON. */
export const planAnnotation = `${apiGroup}/plan`;
/** When it was last told that plan, and how often again. */
export const toldAnnotation = `${apiGroup}/told`;
/** Hash of what the LoadTest asks of its Pods: another one needs another Pod. */
export const podAnnotation = `${apiGroup}/pod`;

/** Eight hex digits that tell the runs of all LoadTests apart. */
export function runHash(uid: string, runID: string): string {
  return createHash("sha256").update(`${uid}/${runID}`).digest("hex").slice(0, 8);
}

/** `my-loadtest-0f3a92bc-0`, its replacement `my-loadtest-0f3a92bc-0-1`: a DNS label, for a name of at most 45 characters. */
export function workerPodName(loadTest: string, run: string, seat: number, attempt: number): string {
  return [loadTest, run, seat, ...(attempt === 0 ? [] : [attempt])].join("-");
}
