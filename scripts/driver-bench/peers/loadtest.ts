// loadtest's own driver: `loadtest run`, which starts one worker process beside it.
import { type LatencyUs, occurred, type Peer } from "../peer.ts";

interface Summary {
  /** Until the last response. */
  durationSeconds: number;
  completed: number;
  failed: Record<string, number>;
  statusCodes: Record<string, number>;
  timedOut: number;
  unsent: number;
  inFlight: number;
  lost: number;
  latencyUs: LatencyUs;
  serviceTimeUs: LatencyUs;
  slipUs: LatencyUs;
  valid: boolean;
}

const program = "loadtest";

function driver(name: string, ...extraArgs: readonly string[]): Peer {
  return {
    name,
    program,
    versionCommand: (path) => [path, "version"],
    canSaturate: true,
    canPace: true,
    warmUpSeconds: 0,
    args: ({ url, ratePerSecond, seconds, connections, timeoutSeconds }) => [
      ...["run", url, "--rate", String(ratePerSecond ?? "max"), "--connections", String(connections)],
      ...["--duration", `${seconds}s`, "--timeout", `${timeoutSeconds}s`, "--output", "json", "--quiet"],
      ...(url.startsWith("https:") ? ["--insecure"] : []),
      ...extraArgs,
    ],
    read: ({ stdout }) => {
      const summary: Summary = JSON.parse(stdout);
      return {
        requests: summary.completed,
        perSecond: summary.completed / summary.durationSeconds,
        latencyUs: summary.latencyUs,
        serviceTimeUs: summary.serviceTimeUs,
        slipUs: summary.slipUs,
        isValid: summary.valid,
        problems: problemsOf(summary),
      };
    },
  };
}

export const loadtest = driver(program);
export const loadtestRelaxed = driver(`${program} relaxed`, "--pacing", "relaxed");

/** A status outside 200 to 399 is told by its code, in place of the failure that it also is. */
function problemsOf({ failed, statusCodes, timedOut, unsent, inFlight, lost }: Summary): Record<string, number> {
  const { unexpectedStatus: _, ...otherFailures } = failed;
  const statuses = Object.entries(statusCodes).filter(([code]) => Number(code) < 200 || Number(code) >= 400);
  return occurred({
    ...otherFailures,
    ...Object.fromEntries(statuses.map(([code, count]) => [`status ${code}`, count])),
    timedOut,
    unsent,
    inFlight,
    lost,
  });
}
