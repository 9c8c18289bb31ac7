// vegeta: every result goes to a file, which a second call of it reads.
import { columnOf, latencyOf, type Peer } from "../peer.ts";

interface Report {
  requests: number;
  /** Responses with a status from 200 to 399, over the time until the last. */
  throughput: number;
  success: number;
  /** "0" are requests without a response. */
  status_codes: Record<string, number>;
}

export const vegeta: Peer = {
  name: "vegeta",
  program: "vegeta",
  // Built by `go install` it does not know its own version, but its modules are listed in it.
  versionCommand: (path) => ["go", "version", "-m", path],
  canSaturate: true,
  canPace: true,
  warmUpSeconds: 0,
  files: ({ url }) => ({ "targets.txt": `GET ${url}\n` }),
  args: ({ ratePerSecond, seconds, connections, timeoutSeconds }, folder) => [
    ...["attack", "-targets", `${folder}/targets.txt`, "-output", `${folder}/results.bin`],
    ...["-rate", ratePerSecond === undefined ? "0" : `${ratePerSecond}/1s`, "-duration", `${seconds}s`],
    ...["-workers", String(connections), "-max-workers", String(connections), "-connections", String(connections)],
    ...["-timeout", `${timeoutSeconds}s`, "-max-body", "0", "-redirects", "-1", "-http2=false", "-insecure"],
  ],
  argsAfterwards: ({ wantsLatency }, folder) =>
    wantsLatency
      ? ["encode", "-to", "csv", `${folder}/results.bin`]
      : ["report", "-type", "json", `${folder}/results.bin`],
  read: ({ stdout }, { seconds, wantsLatency }) => (wantsLatency ? readResults(stdout, seconds) : readReport(stdout)),
};

function readReport(text: string) {
  const report: Report = JSON.parse(text);
  const bad = Object.entries(report.status_codes).filter(([code]) => Number(code) < 200 || Number(code) >= 400);
  return {
    requests: report.requests - (report.status_codes["0"] ?? 0),
    perSecond: report.throughput,
    problems: Object.fromEntries(bad.map(([code, count]) => [code === "0" ? "error" : `status ${code}`, count])),
  };
}

/** A line per request; the third column is its latency in nanoseconds. */
function readResults(text: string, seconds: number) {
  const samplesUs = columnOf(text, ",", 2).map((ns) => ns / 1e3);
  return {
    requests: samplesUs.length,
    perSecond: samplesUs.length / seconds,
    latencyUs: latencyOf(samplesUs),
    problems: {},
  };
}
