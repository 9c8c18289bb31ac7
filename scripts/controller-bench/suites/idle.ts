// What many LoadTests cost that nothing happens to, and how soon a controller that starts has found and mended what is
// missing: the Pods of one LoadTest in a hundred.
import { sleep } from "../../../lib/runtime/clock.ts";
import { alternate } from "../../driver-bench/alternate.ts";
import type { Section } from "../../driver-bench/bench.ts";
import { formatRuns } from "../../driver-bench/table.ts";
import { type ControllerBench, withController } from "../bench.ts";
import { type Contender, ours, RunningController } from "../contender.ts";
import { figureTable } from "../figure-table.ts";
import type { Stage } from "../stage.ts";

/** At rest, a controller calls less than once for so many LoadTests within ten seconds. */
const loadTestsPerCall = 50;
const restWindowMs = 10_000;
const longestUnrestMs = 300_000;
const sampleMs = 60_000;
const pollIntervalMs = 5000;

interface Idle {
  residentMegabytes: number;
  cpuSeconds: number;
  calls: number;
  restartSeconds: number;
}

export async function idle(bench: ControllerBench): Promise<Section> {
  const [runs, count] = [bench.runs ?? 1, bench.count ?? 5000];
  const polling = ours(bench.binary, "loadtest --no-watch", ["--no-watch"]);
  const contenders = [...bench.contenders, polling];
  const results = await alternate(bench, "idle", runs, contenders, (contender) => measure(bench, contender, count));
  return {
    title: `${count} idle LoadTests`,
    markdown: `${figureTable(results, [
      { name: "memory, MB", of: ({ residentMegabytes }) => residentMegabytes, bar: 2 },
      { name: "CPU, s per minute", of: ({ cpuSeconds }) => cpuSeconds },
      { name: "API calls per minute", of: ({ calls }) => calls },
      { name: "restart, s", of: ({ restartSeconds }) => restartSeconds, bar: 1.5 },
    ])}
Each with a gated Pod. Resident memory, CPU and calls over one minute, once Events and statuses are written; Leases are
not counted. Restart: from the start of the process until the Pods of one LoadTest in a hundred, which were deleted
meanwhile, are there again. \`--no-watch\` looks at everything every ${pollIntervalMs / 1000} s; ${formatRuns(runs)}.
`,
  };
}

function measure(bench: ControllerBench, contender: Contender, count: number): Promise<Idle> {
  return withController(bench, contender, async (stage, controller) => {
    await stage.createMany(count);
    await stage.settled(count + 1);
    await rest(controller, count, bench.stop);
    const [before, callsBefore] = [controller.usage(), await controller.calls()];
    await sleep(sampleMs, bench.stop);
    const [after, callsAfter] = [controller.usage(), await controller.calls()];
    await controller.end();
    return {
      residentMegabytes: after.residentBytes / 1e6,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      calls: callsAfter - callsBefore,
      restartSeconds: await restart(bench, contender, stage, count),
    };
  });
}

/** Waits until what follows from the Pods is done as well; what always calls more is never at rest. */
async function rest(controller: RunningController, count: number, stop: AbortSignal): Promise<void> {
  let before = await controller.calls();
  for (let waitedMs = 0; waitedMs < longestUnrestMs; waitedMs += restWindowMs) {
    await sleep(restWindowMs, stop);
    const calls = await controller.calls();
    if (calls - before < count / loadTestsPerCall) return;
    before = calls;
  }
}

async function restart(
  { kubeconfig, stop }: ControllerBench,
  contender: Contender,
  stage: Stage,
  count: number,
): Promise<number> {
  await stage.deletePods(Math.ceil(count / 100));
  const startNs = Bun.nanoseconds();
  const controller = new RunningController(contender, kubeconfig, stop);
  try {
    await stage.settled(count + 1);
    return (Bun.nanoseconds() - startNs) / 1e9;
  } finally {
    await controller.end();
  }
}
