// Many LoadTests at once: until all have their Pods, and how long each waits.
import { alternate } from "../../driver-bench/alternate.ts";
import type { Section } from "../../driver-bench/bench.ts";
import { median } from "../../driver-bench/statistics.ts";
import { formatRuns } from "../../driver-bench/table.ts";
import { type ControllerBench, withController } from "../bench.ts";
import type { Contender } from "../contender.ts";
import { figureTable } from "../figure-table.ts";

interface Burst {
  seconds: number;
  medianMs: number;
  cpuSeconds: number;
}

export async function burst(bench: ControllerBench): Promise<Section> {
  const [runs, count] = [bench.runs ?? 5, bench.count ?? 1000];
  const results = await alternate(bench, "burst", runs, bench.contenders, (contender) =>
    measure(bench, contender, count),
  );
  return {
    title: `${count} LoadTests at once`,
    markdown: `${figureTable(results, [
      { name: "all Pods, s", of: ({ seconds }) => seconds, bar: 1 },
      { name: "a Pod, p50, ms", of: ({ medianMs }) => medianMs },
      { name: "CPU, s", of: ({ cpuSeconds }) => cpuSeconds },
    ])}
${count} LoadTests created 20 at a time, from the first call to the watch event of the last Pod; for one LoadTest from its
own call on. CPU is the controller's until then; ${formatRuns(runs)}.
`,
  };
}

function measure(bench: ControllerBench, contender: Contender, count: number): Promise<Burst> {
  return withController(bench, contender, async (stage, controller) => {
    const before = controller.usage();
    const startNs = Bun.nanoseconds();
    const calledAtNs = await stage.createMany(count);
    await stage.settled(count + 1);
    const seconds = (Bun.nanoseconds() - startNs) / 1e9;
    const { cpuSeconds } = controller.usage();
    const seen = await Promise.all([...calledAtNs].map(async ([name, atNs]) => (await stage.seen(name)) - atNs));
    return { seconds, medianMs: median(seen) / 1e6, cpuSeconds: cpuSeconds - before.cpuSeconds };
  });
}
