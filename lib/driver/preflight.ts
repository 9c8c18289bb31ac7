// The preflight: a load of one request for each path and backend, whose outcomes say whether the true one makes sense.
import { preflightPlans } from "../load/preflight.ts";
import type { PlannedRequest, WorkerPlan } from "../load/worker-plan.ts";
import { monotonicNs } from "../runtime/clock.ts";
import type { Account, FailureKind } from "../stats/account.ts";
import type { Preflight } from "../stats/line.ts";
import { Driver } from "./driver.ts";
import { TargetError } from "./target-error.ts";

const exampleMaxLength = 300;
const connectAttempts = 3;

interface Trial {
  isSent: boolean;
  /** Undefined: answered as expected. */
  failure: { kind: FailureKind; words: string } | undefined;
}

/**
 * Tries the paths, for as long as the timeout in all: those that are left then count as neither sent nor failed. Rejects
 * with a TargetError when no response is as expected; after `stop` nothing is judged.
 */
export async function preflight(plan: WorkerPlan, stop: AbortSignal): Promise<Preflight> {
  const until = AbortSignal.any([stop, AbortSignal.timeout(plan.timeoutNs / 1e6)]);
  const trials = (await Promise.all(preflightPlans(plan).map((one) => tryPaths(one, stop, until)))).flat();
  const requests = trials.filter(({ isSent }) => isSent).length;
  const failures = trials.flatMap(({ failure }) => failure ?? []);
  const [first] = failures;
  if (first === undefined || stop.aborted) return { requests, failed: 0 };
  if (failures.length < trials.length) return { requests, failed: failures.length, example: first.words };
  throw new TargetError(first.kind, `Cannot begin the load: no path is answered as expected: ${first.words}`);
}

/** Those of one backend's paths for which there was time. */
async function tryPaths(plan: WorkerPlan, stop: AbortSignal, until: AbortSignal): Promise<Trial[]> {
  const driver = await Driver.create(plan);
  const name = plan.backends[0]?.name ?? "";
  const failureOf = (request: PlannedRequest, kind: FailureKind, why: string) => ({
    kind,
    words: `${request.method} "${request.path}" to "${name}": ${why}`.slice(0, exampleMaxLength),
  });
  const unreachable = await connect(driver, stop, until);
  if (unreachable !== undefined) {
    const { kind, message } = unreachable;
    return plan.requests.map((request) => ({ isSent: false, failure: failureOf(request, kind, message) }));
  }
  await driver.run(monotonicNs(), until, () => {});
  const recordings = driver.recordings().flatMap(({ paths }) => paths);
  return plan.requests.flatMap((request, index): Trial[] => {
    const { account } = recordings[index] as { account: Account };
    if (account.scheduled === account.unsent) return []; // the ones before took all the time
    const isSent = account.sent > 0;
    if (account.completed > 0) return [{ isSent, failure: undefined }];
    const [kind] = Object.keys(account.failed) as FailureKind[];
    const [status] = Object.keys(account.statusCodes);
    const why = status === undefined ? (kind ?? "no response within the timeout") : `status ${status}`;
    return [{ isSent, failure: failureOf(request, kind ?? "connect", why) }];
  });
}

/** Of several addresses some may be dead. Resolves with the last error when none could be reached `until` then. */
async function connect(driver: Driver, stop: AbortSignal, until: AbortSignal): Promise<TargetError | undefined> {
  let last: TargetError | undefined;
  for (let attempt = 1; attempt <= connectAttempts && !until.aborted; attempt++) {
    try {
      await driver.open(attempt === 1 ? stop : until); // the first ends in time by itself, and then says why
      return until.aborted ? last : undefined;
    } catch (error: unknown) {
      if (!(error instanceof TargetError)) throw error;
      last = error;
    }
  }
  return last;
}
