// When the LoadTestResult of a run is written: with every new point of its series while it goes on, which is when it was
// read from the cluster, and once more when it is over.
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Observed, Pod } from "./objects.ts";
import type { KnownOfRun, Measurement } from "./results.ts";
import type { Run } from "./run.ts";
import { desiredResult } from "./run-result.ts";
import type { Action, World } from "./world.ts";

type Seen = Pick<World, "reports" | "results">;

/** What is known of the run of a LoadTest beside its Pods. */
export function knownOfRun(
  { metadata }: LoadTest,
  { reports, results }: Seen,
): Required<Pick<KnownOfRun, "reports" | "departed">> {
  return { reports: reports ?? new Map(), departed: results?.get(metadata.uid)?.departed ?? [] };
}

/** @param measurement Of a run that is complete with this pass. */
export function resultActions(
  loadTest: LoadTest,
  run: Run,
  pods: readonly Observed<Pod>[],
  world: Seen,
  measurement: Measurement | undefined,
): Action[] {
  const stored = world.results?.get(loadTest.metadata.uid);
  if (stored === undefined) return [];
  const result = desiredResult(loadTest, run, { pods, reports: world.reports ?? new Map(), stored, measurement });
  if (result === undefined) return [];
  const { namespace, name } = result.metadata;
  return [{ kind: "writeResult", namespace, name, result }];
}
