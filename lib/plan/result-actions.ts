// When the LoadTestResult of a run is written: with every new point of its series while it goes on, which is when it was
// read from the cluster, and once more when it is over.
import type { LoadTest } from "../loadtest/load-test.ts";
import { effectiveThresholds } from "../loadtest/thresholds.ts";
import type { Observed, Pod } from "./objects.ts";
import { type KnownOfRun, measurementOf } from "./results.ts";
import type { Run } from "./run.ts";
import { desiredResult } from "./run-result.ts";
import type { Action, World } from "./world.ts";

type Seen = Pick<World, "reports" | "results">;

/** What is known of the run of a LoadTest beside its Pods. */
export function knownOfRun({ metadata }: LoadTest, { reports, results }: Seen): Required<KnownOfRun> {
  return { reports: reports ?? new Map(), departed: results?.get(metadata.uid)?.departed ?? [] };
}

/** @param isOver Whether the LoadTest is complete with this pass. */
export function resultActions(
  loadTest: LoadTest,
  run: Run,
  pods: readonly Observed<Pod>[],
  world: Seen,
  isOver: boolean,
): Action[] {
  const stored = world.results?.get(loadTest.metadata.uid);
  if (stored === undefined) return [];
  const known = knownOfRun(loadTest, world);
  const measurement = isOver ? measurementOf(pods, effectiveThresholds(loadTest.spec.thresholds), known) : undefined;
  const result = desiredResult(loadTest, run, { pods, reports: known.reports ?? new Map(), stored, measurement });
  if (result === undefined) return [];
  const { namespace, name } = result.metadata;
  return [{ kind: "writeResult", namespace, name, result }];
}
