// Coordinated omission, put to the test: the target stands still once, then the generator itself does, and what each
// generator reports is held against the closed form of stall.ts.
import { sleep } from "../../../lib/runtime/clock.ts";
import { alternate } from "../alternate.ts";
import type { Bench, Section } from "../bench.ts";
import { freeze } from "../child.ts";
import { measurePeer } from "../measure.ts";
import { type InstalledPeer, type LatencyUs, latencyNames, type Reading } from "../peer.ts";
import { deviationFrom, medianLatency, type Stall, stallLatencyUs } from "../stall.ts";
import { formatFigure, formatRuns, formatShare, formatTable } from "../table.ts";
import { withTarget } from "../target.ts";

const ratePerSecond = 1000;
/** Longer than any stall, so that what is late is late and not failed. */
const timeoutSeconds = 60;
/** Of the run: long enough for the 90th percentile to lie within the stall. */
const stallShare = 0.12;
const generatorStallShare = 1 / 30;
/** When the stall begins, as a share of the run. */
const beginShare = 1 / 3;

interface Experiment {
  title: string;
  frozen: "target" | "generator";
  contenders: readonly InstalledPeer[];
  connections: number;
  targetArgs: readonly string[];
  serviceSeconds: number;
  /** undefined: by how fast loadtest and this target can go together. */
  rho?: number;
}

interface StallRun {
  reading: Reading;
  deviation: LatencyUs;
}

export async function stall(bench: Bench): Promise<Section> {
  const runs = bench.runs ?? 1;
  const seconds = bench.seconds ?? 30;
  const rows: string[][] = [];
  for (const experiment of experiments(bench)) rows.push(...(await rowsOf(bench, experiment, runs, seconds)));
  const header = ["generator", "mean ms", "p90 ms", "p95 ms", "p99 ms", "p99.9 ms", "furthest from it", "its verdict"];
  return {
    title: "Stall",
    markdown: `${formatTable(header, rows)}
${ratePerSecond} requests/s for ${seconds} s, ${formatRuns(runs)}; once, the target (or the generator) is stopped by SIGSTOP and continued by SIGCONT.
The closed form is what the latency of requests that are due evenly must be. "Furthest" is the figure of the five that is
furthest from it. Each generator has the connections that are said, and no more.
`,
  };
}

function experiments({ binary, peers }: Bench): Experiment[] {
  const paced = peers.filter(({ peer }) => peer.canPace);
  const ours = paced.filter(({ path }) => path === binary);
  const fast = { targetArgs: [], serviceSeconds: 0 };
  const withRho = (rho: number) => {
    const serviceSeconds = rho / ratePerSecond;
    const targetArgs = ["--service-time", `${serviceSeconds * 1e6}us`, "--servers", "1"];
    return { title: `target, ρ = ${rho}, 64 connections`, targetArgs, serviceSeconds, rho };
  };
  return [
    { title: "target, 64 connections", frozen: "target", contenders: paced, connections: 64, ...fast },
    { title: "target, 1 connection", frozen: "target", contenders: ours, connections: 1, ...fast },
    { title: "target, 1024 connections", frozen: "target", contenders: ours, connections: 1024, ...fast },
    { frozen: "target", contenders: ours, connections: 64, ...withRho(0.5) },
    { frozen: "target", contenders: ours, connections: 64, ...withRho(0.8) },
    { title: "generator, 64 connections", frozen: "generator", contenders: paced, connections: 64, ...fast },
  ];
}

async function rowsOf(bench: Bench, experiment: Experiment, runs: number, seconds: number): Promise<string[][]> {
  const { title, frozen, serviceSeconds } = experiment;
  const rho = experiment.rho ?? ratePerSecond / (await drainPerSecond(bench, experiment));
  const stallSeconds = seconds * (frozen === "target" ? stallShare : generatorStallShare);
  const nominal: Stall = { runSeconds: seconds, stallSeconds, rho, serviceSeconds };
  const contenders = experiment.contenders.map((installed) => ({ name: installed.peer.name, installed }));
  const results = await alternate(bench, `stall of the ${title}`, runs, contenders, ({ installed }) =>
    runOnce(bench, experiment, installed, nominal),
  );
  const rows = [[`**${title}: closed form**`, ...figures(stallLatencyUs(nominal)), "", ""]];
  for (const [{ name }, ofPeer] of results) {
    const middle = (part: "latencyUs" | "slipUs" | "serviceTimeUs") =>
      medianLatency(ofPeer.flatMap(({ reading }) => reading[part] ?? []));
    const furthest = formatFurthest(medianLatency(ofPeer.map(({ deviation }) => deviation)));
    rows.push([
      name,
      ...figures(middle("latencyUs")),
      furthest,
      formatValidity(ofPeer.map(({ reading }) => reading.isValid)),
    ]);
    if (frozen === "target" || ofPeer[0]?.reading.slipUs === undefined) continue;
    rows.push([`${name}: slip`, ...figures(middle("slipUs")), "", ""]);
    rows.push([`${name}: service time`, ...figures(middle("serviceTimeUs")), "", ""]);
  }
  return rows;
}

function figures(latencyUs: LatencyUs): string[] {
  return latencyNames.map((name) => formatFigure(latencyUs[name] / 1e3));
}

/** The figure with the largest deviation, and how large. */
function formatFurthest(deviation: LatencyUs): string {
  const known = latencyNames.filter((name) => Number.isFinite(deviation[name]));
  const [furthest] = known.sort((a, b) => Math.abs(deviation[b]) - Math.abs(deviation[a]));
  if (furthest === undefined) return "–";
  return `${furthest === "p999" ? "p99.9" : furthest}: ${formatShare(deviation[furthest])}`;
}

function formatValidity(verdicts: readonly (boolean | undefined)[]): string {
  const invalid = verdicts.filter((verdict) => verdict === false).length;
  if (verdicts.includes(undefined)) return "";
  return invalid === 0 ? "valid" : `invalid in ${invalid} of ${verdicts.length}`;
}

/** How many requests a second get through when a backlog waits, at the experiment's number of connections. */
async function drainPerSecond(bench: Bench, { connections, targetArgs }: Experiment): Promise<number> {
  const [ours] = bench.peers as [InstalledPeer];
  const { result } = await withTarget(bench, targetArgs, 120, ({ url }) =>
    measurePeer(bench, ours, { url: `${url}/`, seconds: 2, connections, timeoutSeconds, wantsLatency: false }),
  );
  return result.reading.perSecond;
}

async function runOnce(
  bench: Bench,
  { frozen, connections, targetArgs }: Experiment,
  installed: InstalledPeer,
  nominal: Stall,
): Promise<StallRun> {
  const { warmUpSeconds } = installed.peer;
  const seconds = nominal.runSeconds + warmUpSeconds;
  let stallSeconds = 0;
  const { result } = await withTarget(bench, targetArgs, seconds + 120, ({ url, pid }) => {
    const load = { url: `${url}/`, ratePerSecond, seconds, connections, timeoutSeconds, wantsLatency: true };
    return measurePeer(bench, installed, load, async ({ senderPid, ended }) => {
      await sleep((warmUpSeconds + nominal.runSeconds * beginShare) * 1e3, ended);
      stallSeconds = await freeze(frozen === "target" ? pid : senderPid(), nominal.stallSeconds, ended);
    });
  });
  const { reading } = result;
  const expectedUs = stallLatencyUs({ ...nominal, stallSeconds });
  return { reading, deviation: deviationFrom(expectedUs, reading.latencyUs ?? expectedUs) };
}
