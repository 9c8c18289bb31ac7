// Which LoadTests were found at rest: nothing to do, and nothing that time alone changes. As long as neither the LoadTest
// nor a Pod of it has another version, planning it again would find the same, and thousands of them are most of what a
// poll costs. Nothing depends on it: everything is forgotten now and then, and after a restart.
import type { LoadTest } from "../loadtest/load-test.ts";
import { nextLookMs } from "../plan/next-look.ts";
import type { Observed, Pod } from "../plan/objects.ts";
import { needsAttention } from "../plan/plan.ts";
import type { PlanOptions } from "../plan/world.ts";

/** Looks after which everything is planned anew. */
const trustedLooks = 10;

export class LookedAt {
  /** Versions of the LoadTest and its Pods at rest, by the LoadTest's uid. */
  #atRest: ReadonlyMap<string, string> = new Map();
  #looks = 0;

  /** Those that need attention, of all LoadTests with their Pods. */
  select<One extends { loadTest: LoadTest; pods: readonly Observed<Pod>[] }>(
    all: readonly One[],
    options: PlanOptions,
    nowMs: number,
  ): One[] {
    const known = this.#looks++ % trustedLooks === 0 ? new Map<string, string>() : this.#atRest;
    const atRest = new Map<string, string>();
    const needy = all.filter(({ loadTest, pods }) => {
      const { uid } = loadTest.metadata;
      const versions = [loadTest, ...pods].map(({ metadata }) => metadata.resourceVersion).join(" ");
      const isNeedy = known.get(uid) !== versions && needsAttention(loadTest, pods, options, nowMs);
      if (!isNeedy && (known.get(uid) === versions || isTimeless(loadTest, pods, options, nowMs))) {
        atRest.set(uid, versions);
      }
      return isNeedy;
    });
    this.#atRest = atRest;
    return needy;
  }
}

function isTimeless(loadTest: LoadTest, pods: readonly Observed<Pod>[], options: PlanOptions, nowMs: number): boolean {
  const nothing = { canaries: new Map(), services: new Map(), goneOwners: new Set<string>() };
  return nextLookMs({ loadTests: [loadTest], pods, ...nothing }, options, nowMs) === undefined;
}
