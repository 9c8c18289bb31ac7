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
}

/** What the health endpoints tell. */
export interface LoopHealth {
  /** When a pass last went through, ms since the Unix epoch; 0: never yet. */
  passedAtMs: number;
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
      const world = await observe(client, options, scope);
      const actions = plan(world, options, nowMs());
      const failures = await execute(actions, client, log);
      log.debug(
        { loadTests: world.loadTests.length, pods: world.pods.length, actions: actions.length, failures },
        "pass",
      );
      health.passedAtMs = nowMs();
    } catch (error: unknown) {
      log.error({ error: (error as Error).message }, "cannot observe the cluster");
    }
    await sleep(options.pollIntervalMs, stop);
  }
}
