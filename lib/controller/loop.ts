// The reconcile loop: observe, plan, execute, wait. It keeps nothing between passes.
import type { KubeClient } from "../kube/client.ts";
import { plan } from "../plan/plan.ts";
import type { PlanOptions } from "../plan/world.ts";
import { nowMs, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { execute } from "./execute.ts";
import { observe } from "./observe.ts";

export interface LoopOptions extends PlanOptions {
  pollIntervalMs: number;
  /** Absent: all namespaces. */
  namespace?: string;
  /** Whether this controller acts; another one may. */
  mayAct: () => boolean;
}

/** What the health endpoints tell. */
export interface LoopHealth {
  /** When a pass last went through, or was another's to make; ms since the Unix epoch; 0: never yet. */
  passedAtMs: number;
}

/** Passes may fail for this long, an API server's restart included, before the process counts as stuck. */
const patienceMs = 180_000;

/** Whether a controller that started at this instant is stuck, in words; undefined: it is not. */
export function stuckFor({ passedAtMs }: LoopHealth, startedAtMs: number): string | undefined {
  const agoMs = nowMs() - Math.max(passedAtMs, startedAtMs);
  return agoMs < patienceMs ? undefined : `no pass for ${Math.round(agoMs / 1000)} s`;
}

/** Passes until `stop` is aborted; a pass under way is finished first. Failed passes are logged and repeated. */
export async function runLoop(
  client: KubeClient,
  options: LoopOptions,
  health: LoopHealth,
  log: Log,
  stop: AbortSignal,
): Promise<void> {
  const scope = options.namespace === undefined ? {} : { namespace: options.namespace };
  while (!stop.aborted) {
    try {
      if (options.mayAct()) await pass(client, options, scope, log);
      health.passedAtMs = nowMs();
    } catch (error: unknown) {
      log.error({ error: (error as Error).message }, "cannot observe the cluster");
    }
    await sleep(options.pollIntervalMs, stop);
  }
}

async function pass(client: KubeClient, options: LoopOptions, scope: { namespace?: string }, log: Log): Promise<void> {
  const world = await observe(client, options, scope);
  const actions = plan(world, options, nowMs());
  const failures = await execute(actions, client, log);
  log.debug({ loadTests: world.loadTests.length, pods: world.pods.length, actions: actions.length, failures }, "pass");
}
