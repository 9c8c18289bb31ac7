// k6: a script, with one virtual user a connection.
import { type Load, occurred, type Peer } from "../peer.ts";

/** The metrics are absent where nothing of their kind has happened. */
interface Summary {
  metrics: {
    http_reqs?: { values: { count: number; rate: number } };
    http_req_failed?: { values: { passes: number } };
    dropped_iterations?: { values: { count: number } };
    /** Milliseconds. */
    http_req_duration?: { values: Record<"avg" | "p(90)" | "p(95)" | "p(99)" | "p(99.9)", number> };
  };
}

export const k6: Peer = {
  name: "k6",
  program: "k6",
  versionCommand: (path) => [path, "version"],
  canSaturate: true,
  canPace: true,
  warmUpSeconds: 0,
  files: (load) => ({ "load.js": script(load) }),
  args: (_, folder) => ["run", "--quiet", "--no-usage-report", "--log-output=none", `${folder}/load.js`],
  read: ({ stdout }) => {
    const { metrics }: Summary = JSON.parse(stdout);
    const requests = metrics.http_reqs?.values.count ?? 0;
    const durationMs = metrics.http_req_duration?.values;
    return {
      requests,
      perSecond: metrics.http_reqs?.values.rate ?? 0,
      latencyUs: {
        mean: (durationMs?.avg ?? Number.NaN) * 1e3,
        p90: (durationMs?.["p(90)"] ?? Number.NaN) * 1e3,
        p95: (durationMs?.["p(95)"] ?? Number.NaN) * 1e3,
        p99: (durationMs?.["p(99)"] ?? Number.NaN) * 1e3,
        p999: (durationMs?.["p(99.9)"] ?? Number.NaN) * 1e3,
      },
      problems: occurred({
        http_req_failed: metrics.http_req_failed?.values.passes ?? 0,
        dropped_iterations: metrics.dropped_iterations?.values.count ?? 0,
      }),
    };
  },
};

function script({ url, ratePerSecond, seconds, connections, timeoutSeconds }: Load): string {
  const duration = `${seconds}s`;
  const users = { preAllocatedVUs: connections, maxVUs: connections };
  const scenario =
    ratePerSecond === undefined
      ? { executor: "constant-vus", vus: connections, duration }
      : { executor: "constant-arrival-rate", rate: ratePerSecond, timeUnit: "1s", duration, ...users };
  const options = {
    scenarios: { load: scenario },
    discardResponseBodies: true,
    insecureSkipTLSVerify: true,
    maxRedirects: 0,
    summaryTrendStats: ["avg", "p(90)", "p(95)", "p(99)", "p(99.9)"],
  };
  return `import http from "k6/http";
export const options = ${JSON.stringify(options)};
export default function () { http.get(${JSON.stringify(url)}, { timeout: "${timeoutSeconds}s" }); }
export function handleSummary(data) { return { stdout: JSON.stringify(data) }; }
`;
}
