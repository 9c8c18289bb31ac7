// What all measurements of controllers share.
import type { KubeClient } from "../../lib/kube/client.ts";
import type { Contender } from "./contender.ts";
import { RunningController } from "./contender.ts";
import { Stage } from "./stage.ts";

export interface ControllerBench {
  client: KubeClient;
  kubeconfig: string;
  /** The loadtest executable. */
  binary: string;
  /** loadtest first; then the one to compare with, if there is one. */
  contenders: readonly Contender[];
  /** undefined: the suite's own number. */
  runs: number | undefined;
  /** LoadTests; undefined: the suite's own number. */
  count: number | undefined;
  stop: AbortSignal;
  /** Progress, for people. */
  say: (text: string) => void;
}

/** Has a controller at work on a new stage; it is known to be at work because it has served one LoadTest, `probe`. */
export function withController<T>(
  { client, kubeconfig, stop }: ControllerBench,
  contender: Contender,
  play: (stage: Stage, controller: RunningController) => Promise<T>,
): Promise<T> {
  return Stage.use(client, stop, async (stage) => {
    const controller = new RunningController(contender, kubeconfig, stop);
    try {
      await stage.create("probe");
      await stage.seen("probe");
      return await play(stage, controller);
    } finally {
      await controller.end();
    }
  });
}
