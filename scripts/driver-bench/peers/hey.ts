// hey: one goroutine a connection; its rate is for each of them.
import { columnOf, latencyOf, type Peer } from "../peer.ts";

export const hey: Peer = {
  name: "hey",
  program: "hey",
  // It has no option for it; this is how Debian names it.
  versionCommand: () => ["dpkg-query", "--show", "hey"],
  canSaturate: true,
  canPace: true,
  warmUpSeconds: 0,
  args: ({ url, ratePerSecond, seconds, connections, timeoutSeconds, wantsLatency }) => [
    ...["-c", String(connections), "-z", `${seconds}s`, "-t", String(timeoutSeconds)],
    ...["-disable-compression", "-disable-redirects"],
    ...(ratePerSecond === undefined ? [] : ["-q", String(ratePerSecond / connections)]),
    ...(wantsLatency ? ["-o", "csv"] : []),
    url,
  ],
  read: ({ stdout }, { seconds, wantsLatency }) => (wantsLatency ? readCsv(stdout, seconds) : readSummary(stdout)),
};

/** The summary for people. Its total is the time until the last response. */
function readSummary(text: string) {
  const totalSeconds = Number(/^ {2}Total:\s+([\d.]+) secs$/m.exec(text)?.[1]);
  const problems: Record<string, number> = {};
  let requests = 0;
  for (const [, code, count] of text.matchAll(/^ {2}\[(\d{3})\]\t(\d+) responses$/gm)) {
    requests += Number(count);
    if (Number(code) >= 400) problems[`status ${code}`] = Number(count);
  }
  for (const [, count, words] of text.matchAll(/^ {2}\[(\d+)\]\t(?!\d+ responses$)(.+)$/gm)) {
    const kind = (words as string).split(": ").at(-1) as string; // what stands before it names ports, another each time
    problems[kind] = (problems[kind] ?? 0) + Number(count);
  }
  return { requests, perSecond: requests / totalSeconds, problems };
}

/** A line per response; the first column is its time in seconds, to a tenth of a millisecond. */
function readCsv(text: string, seconds: number) {
  const samplesUs = columnOf(text, ",", 0).map((responseSeconds) => responseSeconds * 1e6);
  return {
    requests: samplesUs.length,
    perSecond: samplesUs.length / seconds,
    latencyUs: latencyOf(samplesUs),
    problems: {},
  };
}
