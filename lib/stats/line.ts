// The lines a worker writes to stdout, one JSON object each, cumulative: the newest of a kind wins, anything else in
// the stream is ignored. A line stays under 12 KiB, as container runtimes split longer ones at 16 KiB.
import Type, { type Static } from "typebox";
import { Account } from "./account.ts";
import type { GeneratorCounters } from "./generator.ts";
import { encodeHistogram } from "./histogram-codec.ts";
import type { Metric, Recording, WorkerRecording } from "./recording.ts";
import { metrics } from "./recording.ts";
import { longestSeconds, toldCount, toldInstantMs, toldSeconds } from "./told.ts";

/** What came of the requests before the load. */
export const Preflight = Type.Object(
  {
    requests: toldCount("Sent, and in no account."),
    failed: toldCount("Without an expected response in time."),
    example: Type.Optional(Type.String({ maxLength: 500, description: "One of these, in words." })),
  },
  { additionalProperties: false, description: "Of a worker that has tried the paths before the load." },
);
export type Preflight = Static<typeof Preflight>;

/** Once a second, and at once for a changed plan: the totals so far, and the latency of all requests. */
export const SnapshotLine = Type.Object(
  {
    kind: Type.Literal("snapshot"),
    worker: toldCount("Index of the worker."),
    plan: Type.String({
      pattern: "^[0-9a-f]{8}$",
      description: "Of the plan that it follows: 8 hex digits of the SHA-256 of the text.",
    }),
    startedAtMs: toldInstantMs("The instant of request 0, milliseconds since the Unix epoch."),
    elapsedSeconds: toldSeconds("Since that instant; negative before it.", -longestSeconds),
    account: Account,
    latency: Type.String({ description: "Nanoseconds, in the HdrHistogram V2 compressed format, base64." }),
    strainedSeconds: Type.Optional(
      toldSeconds("In which a CPU limit stopped the worker, or its core was full while requests waited."),
    ),
    preflight: Type.Optional(Preflight),
  },
  {
    $id: "https://beta.kuar.com/v1/snapshot.schema.json",
    title: "What a worker writes once a second, cumulative since it began",
    additionalProperties: false,
  },
);
export type SnapshotLine = Static<typeof SnapshotLine>;

/** At the end, one for each backend, request and metric, and those of the generator itself (backend and path -1). */
export interface HistogramLine {
  kind: "histogram";
  worker: number;
  /** Positions in the result line. */
  backend: number;
  path: number;
  metric: Metric | "generatorSlip" | "connectionWait";
  sumNs: number;
  maxNs: number;
  data: string;
}

/** At the end, one for each backend and request. */
export interface AccountLine {
  kind: "account";
  worker: number;
  backend: number;
  path: number;
  account: Account;
}

/** The last line. */
export interface ResultLine {
  kind: "result";
  worker: number;
  startedAtMs: number;
  endedAtMs: number;
  scheduledSeconds: number;
  completedInTime: number;
  /** What the account and histogram lines number. */
  backends: { name: string; paths: number }[];
  generator: GeneratorCounters;
}

/** When the connections are open and only the start is waited for, and again every second until it comes. */
export interface ReadyLine {
  kind: "ready";
  worker: number;
  /** The plan that it follows, as in a snapshot. */
  plan: string;
  preflight?: Preflight;
}

export type Line = ReadyLine | SnapshotLine | HistogramLine | AccountLine | ResultLine;

/** One line of text, with its newline. */
export function formatLine(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

/** The line that `text` holds; undefined for anything else. */
export function parseLine(text: string): Line | undefined {
  if (!text.startsWith('{"kind":"')) return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined; // cut short by a crash
    throw error;
  }
}

/** The lines that hold the whole of a recording, the result last. */
export function resultLines(recording: WorkerRecording): Line[] {
  const { worker, startedAtMs, endedAtMs, scheduledSeconds, completedInTime, backends, generator } = recording;
  const histogramLine = (
    backend: number,
    path: number,
    metric: HistogramLine["metric"],
    histogram: Recording[Metric],
  ): HistogramLine => ({
    kind: "histogram",
    worker,
    backend,
    path,
    metric,
    sumNs: histogram.sumNs,
    maxNs: histogram.maxNs,
    data: encodeHistogram(histogram),
  });
  return [
    ...backends.flatMap(({ paths }, backend) =>
      paths.flatMap((recording, path): Line[] => [
        { kind: "account", worker, backend, path, account: recording.account },
        ...metrics.map((metric) => histogramLine(backend, path, metric, recording[metric])),
      ]),
    ),
    histogramLine(-1, -1, "generatorSlip", generator.slip),
    histogramLine(-1, -1, "connectionWait", generator.connectionWait),
    {
      kind: "result",
      worker,
      startedAtMs,
      endedAtMs,
      scheduledSeconds,
      completedInTime,
      backends: backends.map(({ name, paths }) => ({ name, paths: paths.length })),
      generator: generator.counters,
    },
  ];
}
