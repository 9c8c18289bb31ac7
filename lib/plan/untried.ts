// What a spec asks of workers at work that nobody has looked at yet: a backend that they do not send to, or another Pod than
// theirs. They are told of the one, and ended for the other, only in a pass that finds it fit: its Service by a look at it,
// the Pod by a dry run. Until then they go on as they are.
import { isDeepStrictEqual } from "node:util";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { Backend } from "./compile.ts";
import type { Worker } from "./crew.ts";
import { fitsPod } from "./pod-settings.ts";
import { openSeats } from "./vacancies.ts";

/** Whether some that are to go on would send elsewhere, or need another Pod. */
export function isUntried(
  workers: readonly Worker[],
  spec: EffectiveSpec,
  backends: readonly Pick<Backend, "origin">[],
): boolean {
  return workers.some(({ pod, plan, hasEnded, isGoing }) => {
    if (hasEnded || isGoing || plan === undefined || plan.stop) return false;
    const used = plan.backends.filter(({ percent }) => percent > 0);
    const isKnown = backends.every(({ origin }) => used.some((one) => isDeepStrictEqual(one.origin, origin)));
    return !isKnown || !fitsPod(pod, spec);
  });
}

/** Whether a Pod may have to be made that is unlike the last one in its seat. */
export function isPodUntried(workers: readonly Worker[], spec: EffectiveSpec, seats: number): boolean {
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  const last = [...present, ...openSeats(workers, seats).map((seat) => seat.last)];
  return spec.state !== "Stopped" && last.some((worker) => worker === undefined || !fitsPod(worker.pod, spec));
}
