// Throughput and cost in a closed loop: 64 connections, a request in flight on each, nginx on one core and the whole
// process tree of the generator on another. loadtest's parent process, its worker, its garbage collection and its
// compiler threads share that core, as threads of the others do.
import { alternate } from "../alternate.ts";
import type { Bench, Section } from "../bench.ts";
import { measurePeer, type PeerRun } from "../measure.ts";
import { withNginx } from "../nginx.ts";
import { loadtest } from "../peers/loadtest.ts";
import { median, medianInterval, pairRatios } from "../statistics.ts";
import { formatFigure, formatRatio, formatRuns, formatShare, formatTable } from "../table.ts";

const connections = 64;
const faster = { above: "faster", below: "slower" };
const cheaper = { above: "costlier", below: "cheaper" };

const perSecond = ({ reading }: PeerRun) => reading.perSecond;
const cpuUsPerRequest = ({ cpuSeconds, reading }: PeerRun) => (cpuSeconds / reading.requests) * 1e6;
const coreShare = ({ cpuSeconds, elapsedSeconds }: PeerRun) => cpuSeconds / elapsedSeconds;
const rssMegabytes = ({ peakRssBytes }: PeerRun) => peakRssBytes / 1e6;

export async function saturation(bench: Bench): Promise<Section> {
  const runs = bench.runs ?? 5;
  const seconds = bench.seconds ?? 5;
  const contenders = bench.peers.flatMap(({ peer, path }) =>
    peer.canSaturate ? [{ name: peer.name, peer, path }] : [],
  );
  const rows: string[][] = [];
  for (const scheme of ["http", "https"] as const) {
    const limitSeconds = runs * contenders.length * (seconds + 60);
    const results = await withNginx(bench, limitSeconds, async (urls) => {
      const load = { url: urls[scheme], seconds, connections, timeoutSeconds: 10, wantsLatency: false };
      return await alternate(bench, `saturation over ${scheme}`, runs, contenders, (contender) =>
        measurePeer(bench, contender, load),
      );
    });
    const ours = [...results].find(([{ name }]) => name === loadtest.name)?.[1] ?? [];
    for (const [{ name }, theirs] of results) rows.push([`${name}, ${scheme}`, ...figures(ours, theirs)]);
  }
  const header = ["generator", "requests/s", "CPU µs/request", "of its core", "peak RSS MB"];
  return {
    title: "Saturation",
    markdown: `${formatTable([...header, "throughput, loadtest ÷ it", "CPU/request, loadtest ÷ it"], rows)}
${connections} connections with one request in flight each, ${seconds} s, ${formatRuns(runs)}; nginx on one core, the
generator with all its processes on another. Ratios are medians of the pairs' ratios with the interval of order
statistics around them. CPU time includes starting up. Where a generator does not use its core up, nginx was the limit:
then only CPU per request tells. Where it does, loadtest itself calls the run INVALID.
`,
  };
}

function figures(ours: readonly PeerRun[], theirs: readonly PeerRun[]): string[] {
  const middle = (of: (run: PeerRun) => number) => median(theirs.map(of));
  const ratio = (of: (run: PeerRun) => number) => medianInterval(pairRatios(ours.map(of), theirs.map(of)));
  return [
    formatFigure(middle(perSecond)),
    formatFigure(middle(cpuUsPerRequest)),
    formatShare(middle(coreShare)),
    formatFigure(middle(rssMegabytes)),
    ours === theirs ? "" : formatRatio(ratio(perSecond), 1, faster),
    ours === theirs ? "" : formatRatio(ratio(cpuUsPerRequest), 1, cheaper),
  ];
}
