// How the parts of a LoadTest are called in the cluster. Names are derived, never generated: whoever makes the same
// Pod twice is told that it exists.
import { createHash } from "node:crypto";
import { apiGroup } from "../loadtest/api-group.ts";

/** Name of the LoadTest that a Pod works for. */
export const loadTestLabel = `${apiGroup}/loadtest`;
/** Hash of the run that a Pod works in. */
export const runLabel = `${apiGroup}/run`;
/** Index of the worker, from 0. */
export const workerLabel = `${apiGroup}/worker`;
/** The worker's plan, as JSON. */
export const planAnnotation = `${apiGroup}/plan`;

/** Eight hex digits that tell the runs of all LoadTests apart. */
export function runHash(uid: string): string {
  return createHash("sha256").update(`${uid}/`).digest("hex").slice(0, 8);
}

/** `my-loadtest-0f3a92bc-0`: a DNS label, for a LoadTest's name of at most 45 characters. */
export function workerPodName(loadTest: string, uid: string, index: number): string {
  return `${loadTest}-${runHash(uid)}-${index}`;
}
