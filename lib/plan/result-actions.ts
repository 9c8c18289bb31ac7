// When the LoadTestResult of a run is written: with every new point of its series while it goes on, which is when it was
// read from the cluster, and once more when it is over.
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Run } from "./run.ts";
import { desiredResult, type RunSeen } from "./run-result.ts";
import type { Action } from "./world.ts";

/** @param seen Without `stored` it was not read. */
export function resultActions(
  loadTest: LoadTest,
  run: Run,
  { stored, ...seen }: Omit<RunSeen, "stored"> & { stored: RunSeen["stored"] | undefined },
): Action[] {
  const result = stored === undefined ? undefined : desiredResult(loadTest, run, { ...seen, stored });
  if (result === undefined) return [];
  const { namespace, name } = result.metadata;
  const isEarly = !result.complete && run.status.startTime === undefined;
  return [{ kind: "writeResult", namespace, name, result, isEarly }];
}
