// h2load, of nghttp2, kept to HTTP/1.1; its rate is for each connection.
import { columnOf, latencyOf, occurred, type Peer } from "../peer.ts";

const logFile = "requests.tsv";

export const h2load: Peer = {
  name: "h2load",
  program: "h2load",
  versionCommand: (path) => [path, "--version"],
  canSaturate: true,
  canPace: true,
  warmUpSeconds: 0,
  args: ({ url, ratePerSecond, seconds, connections, timeoutSeconds, wantsLatency }, folder) => [
    ...["--h1", "-t1", `-c${connections}`, "-D", String(seconds), "-N", String(timeoutSeconds)],
    ...(ratePerSecond === undefined ? [] : [`--rps=${ratePerSecond / connections}`]),
    ...(wantsLatency ? [`--log-file=${folder}/${logFile}`] : []),
    url,
  ],
  read: ({ stdout, file }, { wantsLatency }) => {
    const count = (what: string) => Number(new RegExp(`^requests: .*?(\\d+) ${what}\\b`, "m").exec(stdout)?.[1]);
    const statusCount = (what: string) =>
      Number(new RegExp(`^status codes: .*?(\\d+) ${what}\\b`, "m").exec(stdout)?.[1]);
    return {
      requests: count("done"),
      perSecond: Number(/^finished in .*?([\d.]+) req\/s/m.exec(stdout)?.[1]),
      // A line per response: start, status, microseconds until its end.
      ...(wantsLatency ? { latencyUs: latencyOf(columnOf(file(logFile), "\t", 2)) } : {}),
      problems: occurred({
        errored: count("errored"),
        timeout: count("timeout"),
        "status 4xx": statusCount("4xx"),
        "status 5xx": statusCount("5xx"),
      }),
    };
  },
};
