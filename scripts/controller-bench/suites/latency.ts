// From the call that creates a LoadTest to the watch event that shows its Pod, one LoadTest after the other.
import { alternate } from "../../driver-bench/alternate.ts";
import type { Section } from "../../driver-bench/bench.ts";
import { quantile } from "../../driver-bench/statistics.ts";
import { formatRuns } from "../../driver-bench/table.ts";
import { type ControllerBench, withController } from "../bench.ts";
import type { Contender } from "../contender.ts";
import { figureTable } from "../figure-table.ts";

export async function latency(bench: ControllerBench): Promise<Section> {
  const [runs, count] = [bench.runs ?? 5, bench.count ?? 200];
  const results = await alternate(bench, "latency", runs, bench.contenders, (contender) =>
    measure(bench, contender, count),
  );
  return {
    title: "Reconcile latency",
    markdown: `${figureTable(results, [
      { name: "p50, ms", of: ({ ms }) => quantile(ms, 0.5), bar: 1 },
      { name: "p99, ms", of: ({ ms }) => quantile(ms, 0.99), bar: 1.5 },
    ])}
From the call that creates a LoadTest to the watch event that shows its Pod; ${count} LoadTests one after the other,
${formatRuns(runs)}.
`,
  };
}

function measure(bench: ControllerBench, contender: Contender, count: number): Promise<{ ms: Float64Array }> {
  return withController(bench, contender, async (stage) => {
    const ms = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      const calledAtNs = await stage.create(`lt-${index}`);
      ms[index] = ((await stage.seen(`lt-${index}`)) - calledAtNs) / 1e6;
    }
    return { ms: ms.sort() };
  });
}
