// What observing costs: throughput with one path in silence, with 32 paths, and with the live view on a terminal beside.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { alternate } from "../alternate.ts";
import type { Bench, Section } from "../bench.ts";
import { endChild, startOnTerminal } from "../child.ts";
import { withNginx } from "../nginx.ts";
import { loadtest } from "../peers/loadtest.ts";
import { median, medianInterval, pairRatios } from "../statistics.ts";
import { formatFigure, formatRatio, formatRuns, formatTable } from "../table.ts";

const connections = 64;
const paths = Array.from({ length: 32 }, (_, index) => `/path-${index}`);
/** What observing may leave of the throughput. */
const bar = 0.98;
const words = { above: `more than ${bar}`, below: `less than ${bar}` };

interface Variant {
  name: string;
  args: readonly string[];
}

const variants: readonly Variant[] = [
  { name: "1 path, quiet", args: ["--quiet"] },
  { name: "32 paths, quiet", args: ["--quiet", "--paths", ...paths] },
  { name: "32 paths, live view", args: ["--paths", ...paths] },
];

export async function overhead(bench: Bench): Promise<Section> {
  const runs = bench.runs ?? 5;
  const seconds = bench.seconds ?? 5;
  const results = await withNginx(bench, runs * variants.length * (seconds + 60), ({ http }) =>
    alternate(bench, "overhead", runs, variants, (variant) => perSecond(bench, variant, http, seconds)),
  );
  const plain = results.get(variants[0] as Variant) ?? [];
  const rows = [...results].map(([{ name }, ofVariant]) => [
    name,
    formatFigure(median(ofVariant)),
    ofVariant === plain ? "" : formatRatio(medianInterval(pairRatios(ofVariant, plain)), bar, words),
  ]);
  return {
    title: "Overhead",
    markdown: `${formatTable(["loadtest", "requests/s", "it ÷ the first"], rows)}
As fast as ${connections} connections allow, ${seconds} s, ${formatRuns(runs)}, on a terminal each time. Latency by path and
second is recorded in all of them; there is no switch to measure without.
`,
  };
}

async function perSecond(bench: Bench, { args }: Variant, url: string, seconds: number): Promise<number> {
  const load = { url, seconds, connections, timeoutSeconds: 10, wantsLatency: false };
  const file = join(bench.folder, "summary.json");
  const command = [bench.binary, ...loadtest.args(load, bench.folder).filter((arg) => arg !== "--quiet"), ...args];
  const bounds = { ...bench, core: bench.generatorCore, limitSeconds: seconds + 60 };
  const child = startOnTerminal(command, file, bounds);
  try {
    await child.exited;
    return loadtest.read({ stdout: readFileSync(file, "utf8"), file: () => "" }, load).perSecond;
  } finally {
    await endChild(child);
    child.terminal?.close();
    rmSync(file, { force: true });
  }
}
