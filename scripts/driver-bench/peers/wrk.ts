// wrk (closed loop) and wrk2 (its fork with a rate): the same report, by the same Lua hook at the end of the run.
import { occurred, type Peer } from "../peer.ts";

/** Only `done` is defined: a hook on requests or responses would slow the run. */
const reportScript = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d,',
    summary.requests, summary.duration, e.connect, e.read, e.write, e.timeout, e.status))
  io.write(string.format(
    '"latencyUs":{"mean":%.1f,"p90":%.1f,"p95":%.1f,"p99":%.1f,"p999":%.1f}}\\n', latency.mean,
    latency:percentile(90), latency:percentile(95), latency:percentile(99), latency:percentile(99.9)))
end
`;

function wrkLike(name: string, canPace: boolean, warmUpSeconds: number): Peer {
  return {
    name,
    program: name,
    versionCommand: (path) => [path, "-v"],
    canSaturate: !canPace,
    canPace,
    warmUpSeconds,
    files: () => ({ "report.lua": reportScript }),
    args: ({ url, ratePerSecond, seconds, connections, timeoutSeconds }, folder) => [
      ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", `${timeoutSeconds}s`, "-s", `${folder}/report.lua`],
      ...(canPace ? [`-R${ratePerSecond}`] : []),
      url,
    ],
    read: ({ stdout }) => {
      const { requests, durationUs, latencyUs, status, ...errors } = JSON.parse(
        stdout.slice(stdout.lastIndexOf("\n{") + 1),
      );
      return {
        requests,
        perSecond: requests / (durationUs / 1e6),
        latencyUs,
        problems: occurred({ ...errors, "status not 2xx or 3xx": status }),
      };
    },
  };
}

export const wrk = wrkLike("wrk", false, 0);
/** Its first ten seconds are a calibration, after which its histogram is emptied. */
export const wrk2 = wrkLike("wrk2", true, 10);
