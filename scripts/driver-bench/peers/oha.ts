// oha, with the correction that it offers against coordinated omission wherever a rate is asked for.
import type { Peer } from "../peer.ts";

interface Report {
  summary: { total: number; average: number };
  latencyPercentiles: Record<"p90" | "p95" | "p99" | "p99.9", number>;
  statusCodeDistribution: Record<string, number>;
  errorDistribution: Record<string, number>;
}

/** Requests under way at the end, which it cuts off: no fault of anybody. */
const cutOff = "aborted due to deadline";

export const oha: Peer = {
  name: "oha",
  program: "oha",
  versionCommand: (path) => [path, "--version"],
  canSaturate: true,
  canPace: true,
  warmUpSeconds: 0,
  args: ({ url, ratePerSecond, seconds, connections, timeoutSeconds }) => [
    ...["--no-tui", "--output-format", "json", "--insecure", "--redirect", "0", "--disable-compression"],
    ...["--worker-threads", "1", "-c", String(connections), "-z", `${seconds}s`, "-t", `${timeoutSeconds}s`],
    ...(ratePerSecond === undefined ? [] : ["-q", String(ratePerSecond), "--latency-correction"]),
    url,
  ],
  read: ({ stdout }) => {
    const { summary, latencyPercentiles, statusCodeDistribution, errorDistribution }: Report = JSON.parse(stdout);
    const statuses = Object.entries(statusCodeDistribution);
    const requests = statuses.reduce((sum, [, count]) => sum + count, 0);
    const { [cutOff]: _, ...errors } = errorDistribution;
    const bad = statuses.filter(([code]) => Number(code) >= 400).map(([code, count]) => [`status ${code}`, count]);
    return {
      requests,
      perSecond: requests / summary.total,
      latencyUs: {
        mean: summary.average * 1e6,
        p90: latencyPercentiles.p90 * 1e6,
        p95: latencyPercentiles.p95 * 1e6,
        p99: latencyPercentiles.p99 * 1e6,
        p999: latencyPercentiles["p99.9"] * 1e6,
      },
      problems: { ...errors, ...Object.fromEntries(bad) },
    };
  },
};
