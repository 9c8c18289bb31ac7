// Faults that the target injects on purpose, a known number of one kind in each run, against what generators say of them.
import { alternate } from "../alternate.ts";
import type { Bench, Section } from "../bench.ts";
import { measurePeer } from "../measure.ts";
import type { InstalledPeer } from "../peer.ts";
import { median } from "../statistics.ts";
import { formatRuns, formatTable } from "../table.ts";
import { withTarget } from "../target.ts";

const ratePerSecond = 500;
const connections = 64;
const faultCount = 20;

/** The target's kinds, and whether a request that meets one has failed. */
const kinds: readonly { kind: string; isFailure: boolean }[] = [
  { kind: "reset", isFailure: true },
  { kind: "close", isFailure: true },
  { kind: "reset-mid-body", isFailure: true },
  { kind: "truncated", isFailure: true },
  { kind: "malformed", isFailure: true },
  { kind: "timeout", isFailure: true },
  { kind: "status-503", isFailure: true },
  { kind: "redirect", isFailure: false },
  { kind: "close-idle", isFailure: false },
];

interface FaultRun {
  injected: number;
  problems: Readonly<Record<string, number>>;
}

export async function faults(bench: Bench): Promise<Section> {
  const runs = bench.runs ?? 1;
  const seconds = bench.seconds ?? 4;
  // All faults in the first half of the run, so that the last of them still have their consequences in it.
  const every = Math.floor((ratePerSecond * seconds) / 2 / faultCount);
  const contenders = bench.peers.map(({ peer, path }) => ({ name: peer.name, peer, path }));
  const exactKinds = new Map(contenders.map((contender) => [contender, 0]));
  const rows: string[][] = [];
  for (const { kind, isFailure } of kinds) {
    const results = await alternate(bench, `faults of kind ${kind}`, runs, contenders, (contender) =>
      runOnce(bench, contender, kind, every, seconds),
    );
    for (const [contender, ofPeer] of results) {
      if (ofPeer.every((run) => isExact(run, isFailure)))
        exactKinds.set(contender, (exactKinds.get(contender) ?? 0) + 1);
    }
    const cells = contenders.map((contender) => formatProblems(results.get(contender)));
    rows.push([`${faultCount} × ${kind}${isFailure ? "" : " (no failure)"}`, ...cells]);
  }
  rows.push(["kinds counted exactly", ...[...exactKinds.values()].map((count) => `${count} of ${kinds.length}`)]);
  return {
    title: "Faults",
    markdown: `${formatTable(["injected", ...contenders.map(({ name }) => name)], rows)}
What each generator said had gone wrong, where the target injected ${faultCount} faults of one kind, one at every ${every}th request;
${ratePerSecond} requests/s (as fast as it can where it has no rate) for ${seconds} s, timeout 1 s, ${formatRuns(runs)}. A dash: its run ended without figures.
`,
  };
}

async function runOnce(
  bench: Bench,
  installed: InstalledPeer,
  kind: string,
  every: number,
  seconds: number,
): Promise<FaultRun> {
  const args = ["--fault", `${kind}:${faultCount}@${every}`];
  const load = { ratePerSecond, seconds, connections, timeoutSeconds: 1, wantsLatency: false };
  const { result, report } = await withTarget(bench, args, seconds + 120, ({ url }) =>
    measurePeer(bench, installed, { ...load, url: `${url}/` }),
  );
  return { injected: report.faults[kind] ?? 0, problems: result.reading.problems };
}

function isExact({ injected, problems }: FaultRun, isFailure: boolean): boolean {
  const told = Object.values(problems).reduce((total, count) => total + count, 0);
  return injected > 0 && told === (isFailure ? injected : 0);
}

/** Each problem that any run told, with the median of its count; and how many there were, if not all. */
function formatProblems(runs: readonly FaultRun[] | undefined): string {
  if (runs === undefined) return "–";
  const names = [...new Set(runs.flatMap(({ problems }) => Object.keys(problems)))];
  const texts = names.map((name) => `${median(runs.map(({ problems }) => problems[name] ?? 0))} ${name}`);
  const injected = median(runs.map((run) => run.injected));
  return (texts.join(", ") || "nothing") + (injected === faultCount ? "" : ` (of ${injected})`);
}
