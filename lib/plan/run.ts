// Which run of a LoadTest is under way, or was the last: a finished LoadTest with another runID runs anew.
import type { LoadTest } from "../loadtest/load-test.ts";
import type { LoadTestStatus } from "../loadtest/load-test-status.ts";
import { runHash, runLabel } from "./names.ts";
import type { Pod } from "./objects.ts";

export interface Run {
  /** "" without one. */
  id: string;
  /** In the names of its Pods. */
  hash: string;
  /** What is known of this run: nothing of another one's. */
  status: LoadTestStatus;
}

export function presentRun({ metadata, spec, status = {} }: LoadTest): Run {
  const known = status.runID ?? "";
  const wanted = spec.runID ?? "";
  const isUnderWay = status.startTime !== undefined && !isCompleted(status);
  const id = isUnderWay ? known : wanted;
  return { id, hash: runHash(metadata.uid, id), status: id === known ? status : {} };
}

/** A finished run stays finished, whatever becomes of its Pods. */
export function isComplete(loadTest: LoadTest): boolean {
  return isCompleted(presentRun(loadTest).status);
}

export function isCompleted({ conditions = [] }: LoadTestStatus): boolean {
  return conditions.some(({ type, status }) => type === "Complete" && status === "True");
}

/** Whether a Pod of the LoadTest works, or worked, in this run. */
export function isOf({ metadata }: Pod, { hash }: Run): boolean {
  return metadata.labels?.[runLabel] === hash;
}
