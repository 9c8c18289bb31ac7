// How evenly requests arrive, as the server sees it: no generator is asked about itself.
import type { TargetReport } from "../../../lib/target/report.ts";
import { alternate } from "../alternate.ts";
import type { Bench, Section } from "../bench.ts";
import { measurePeer, type PeerRun } from "../measure.ts";
import { loadtestRelaxed } from "../peers/loadtest.ts";
import { metronome } from "../peers/metronome.ts";
import { median } from "../statistics.ts";
import { formatFigure, formatRuns, formatShare, formatTable } from "../table.ts";
import { withTarget } from "../target.ts";

const ratesPerSecond = [1000, 10_000, 50_000];
const connections = 64;

interface PacingRun {
  report: TargetReport;
  result: PeerRun;
}

export async function pacing(bench: Bench): Promise<Section> {
  const runs = bench.runs ?? 5;
  const seconds = bench.seconds ?? 5;
  const installed = [
    ...bench.peers,
    { peer: loadtestRelaxed, path: bench.binary },
    { peer: metronome, path: process.execPath },
  ];
  const contenders = installed.flatMap(({ peer, path }) => (peer.canPace ? [{ name: peer.name, peer, path }] : []));
  const load = { seconds, connections, timeoutSeconds: 10, wantsLatency: false };
  const rows: string[][] = [];
  for (const ratePerSecond of ratesPerSecond) {
    const what = `pacing at ${ratePerSecond}/s`;
    const results = await alternate(bench, what, runs, contenders, (contender) =>
      withTarget(bench, [], seconds + 120, ({ url }) =>
        measurePeer(bench, contender, { ...load, url: `${url}/`, ratePerSecond }),
      ),
    );
    for (const [{ name }, ofPeer] of results) {
      rows.push([`${name}, ${formatFigure(ratePerSecond)}/s`, ...figures(ofPeer, ratePerSecond)]);
      if (name === metronome.name) rows.push([`${name}, as it sent`, "", "", ...sentJitter(ofPeer), ""]);
    }
  }
  return {
    title: "Pacing",
    markdown: `${formatTable(["generator, asked", "arrived/s", "rate error", "jitter p50 µs", "jitter p99 µs", "CPU µs/request"], rows)}
As the target saw it, over ${connections} connections for ${seconds} s, ${formatRuns(runs)}. Jitter is the distance of
arrivals from the evenly spaced line that fits them best, so a constant delay does not count. CPU time includes
starting up. ${metronome.name} waits for each instant in a loop that does nothing else, on one connection: between how it
sent and what it scores lies the noise of the referee.
`,
  };
}

function sentJitter(runs: readonly PacingRun[]): string[] {
  const middle = (name: "p50" | "p99") =>
    median(runs.map(({ result }) => result.reading.sentJitterUs?.[name] ?? Number.NaN));
  return [formatFigure(middle("p50")), formatFigure(middle("p99"))];
}

function figures(runs: readonly PacingRun[], askedPerSecond: number): string[] {
  const middle = (of: (run: PacingRun) => number | null | undefined) =>
    median(runs.map((run) => of(run) ?? Number.NaN));
  return [
    formatFigure(middle(({ report }) => report.ratePerSecond)),
    formatShare(middle(({ report }) => Math.abs((report.ratePerSecond ?? Number.NaN) / askedPerSecond - 1))),
    formatFigure(middle(({ report }) => report.jitterUs?.p50)),
    formatFigure(middle(({ report }) => report.jitterUs?.p99)),
    formatFigure(middle(({ report, result }) => (result.cpuSeconds / report.requests) * 1e6)),
  ];
}
