// What a worker last said on stdout, out of the tail of its log. Anyone may write to a container's log, and a tail may
// begin and end anywhere: what is no line of a worker is passed over.
import Ajv from "ajv";
import Type from "typebox";
import { isPossible } from "../stats/account.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import { Preflight, type ReadyLine, SnapshotLine } from "../stats/line.ts";

export interface WorkerReport {
  /** Of the plan that the worker follows: the first 8 hex digits of its text's SHA-256. */
  plan: string;
  /** Absent: it has made none. */
  preflight?: Preflight;
  /** Absent: it has not begun. */
  snapshot?: SnapshotLine;
  /** When the snapshot was first read, by the clock of the controller; absent: it was not remembered. */
  saidAtMs?: number;
  /** All that were in the tail, the oldest first. */
  recent?: readonly SnapshotLine[];
}

const plan = Type.String({ pattern: "^[0-9a-f]{8}$" });
const ReportedReady = Type.Object({
  kind: Type.Literal("ready"),
  worker: Type.Integer({ minimum: 0 }),
  plan,
  preflight: Type.Optional(Preflight),
});

/** Compiled: the ends of all logs are checked every few seconds. */
const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const isReady = ajv.compile<ReadyLine>(ReportedReady);
const isSnapshot = ajv.compile<SnapshotLine>(SnapshotLine);

/** What the end of a worker's log says; undefined when it says nothing. */
export function parseWorkerReport(log: string): WorkerReport | undefined {
  const lines = log.split("\n").map(parseReportLine);
  const said = lines.filter((line) => line !== undefined);
  const newest = said.at(-1);
  if (newest === undefined) return undefined;
  const recent = said.filter((line) => line.kind === "snapshot");
  const snapshot = recent.at(-1);
  return {
    plan: newest.plan,
    ...(newest.preflight === undefined ? {} : { preflight: newest.preflight }),
    ...(snapshot === undefined ? {} : { snapshot, recent }),
  };
}

type ReportLine = SnapshotLine | ReadyLine;

function parseReportLine(text: string): ReportLine | undefined {
  if (!text.startsWith('{"kind":"snapshot"') && !text.startsWith('{"kind":"ready"')) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    if (isReady(line)) return line;
    return isSnapshot(line) && isCredible(line) ? line : undefined;
  } catch (error: unknown) {
    if (error instanceof Error) return undefined; // cut short, or with a text that no histogram has
    throw error;
  }
}

function isCredible({ account, latency }: SnapshotLine): boolean {
  return isPossible(account) && decodeHistogram(latency).total <= account.scheduled;
}
