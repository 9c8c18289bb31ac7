// What a worker last said on stdout, as far as it was read.
import type { SnapshotLine } from "../stats/line.ts";

export interface WorkerReport {
  /** First eight hex digits of the SHA-256 of the plan that it follows. */
  plan: string;
  snapshot?: SnapshotLine;
}
