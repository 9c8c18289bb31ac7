// Which LoadTests were found at rest: nothing to do, and nothing that time alone changes. As long as neither the LoadTest
// nor a Pod of it has another version, planning it again would find the same, and thousands of them are most of what a
// poll costs. Nothing depends on it: everything is forgotten now and then, and after a restart. Then planning them all
// takes seconds, in which work goes on: first for those whose Pods are missing.
import type { LoadTest } from "../loadtest/load-test.ts";
import { nextLookMs } from "../plan/next-look.ts";
import type { Observed, Pod } from "../plan/objects.ts";
import { needsAttention } from "../plan/plan.ts";
import { isComplete } from "../plan/run.ts";
import type { PlanOptions } from "../plan/world.ts";
import { nowMs, sleep } from "../runtime/clock.ts";

/** Looks after which everything is planned anew. */
const trustedLooks = 10;
/** LoadTests that are planned without a break: some 10 ms. */
const mostAtOnce = 20;

interface Looked {
  loadTest: LoadTest;
  pods: readonly Observed<Pod>[];
}

export class LookedAt {
  /** Versions of the LoadTest and its Pods at rest, by the LoadTest's uid. */
  #atRest: ReadonlyMap<string, string> = new Map();
  #looks = 0;

  /** Those that need attention, now or in a while, of all LoadTests with their Pods, one by one as they are found. */
  async *select(all: readonly Looked[], options: PlanOptions): AsyncGenerator<{ loadTest: LoadTest; inMs: number }> {
    const known = this.#looks++ % trustedLooks === 0 ? new Map<string, string>() : this.#atRest;
    const atRest = new Map<string, string>();
    let planned = 0;
    for (const { loadTest, pods } of [...all.filter(isBare), ...all.filter((one) => !isBare(one))]) {
      const { uid } = loadTest.metadata;
      const versions = [loadTest, ...pods].map(({ metadata }) => metadata.resourceVersion).join(" ");
      if (known.get(uid) === versions) {
        atRest.set(uid, versions);
        continue;
      }
      if (++planned % mostAtOnce === 0) await sleep(0);
      const inMs = waitMs(loadTest, pods, options);
      if (inMs === undefined) atRest.set(uid, versions);
      else yield { loadTest, inMs };
    }
    this.#atRest = atRest;
  }
}

function isBare({ loadTest, pods }: Looked): boolean {
  return pods.length === 0 && !isComplete(loadTest);
}

/** Until there is something to do; undefined: time alone does not change what is. */
function waitMs(loadTest: LoadTest, pods: readonly Observed<Pod>[], options: PlanOptions): number | undefined {
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  try {
    if (needsAttention(loadTest, pods, options, nowMs())) return 0;
    return nextLookMs({ loadTests: [loadTest], pods, ...nothing }, options, nowMs());
  } catch (error: unknown) {
    if (error instanceof Error) return 0; // fails once more when it is worked on, is logged there, and holds up no other
    throw error;
  }
}
