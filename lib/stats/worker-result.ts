// The result of a worker, read back from its termination message. Whoever may edit Pods may write such a message: what is
// read is checked, and anything else is no result.
import Ajv from "ajv";
import { type Account, emptyAccount, type FailureKind, failureKinds, isPossible } from "./account.ts";
import { type DecodedHistogram, decodeCompact } from "./compact-histogram.ts";
import type { GeneratorCounters } from "./generator.ts";
import type { WorkerRecording } from "./recording.ts";
import { type Part, TerminationMessage, terminationMessageBytes } from "./termination-message.ts";

/** Compiled: who reads results reads hundreds, again and again. Workers, who only write them, do without this file. */
const isMessage = new Ajv({ strict: true, allowUnionTypes: true }).compile<TerminationMessage>(TerminationMessage);

export interface WorkerResult
  extends Pick<WorkerRecording, "worker" | "startedAtMs" | "endedAtMs" | "scheduledSeconds" | "completedInTime"> {
  account: Account;
  counters: GeneratorCounters;
  latency: DecodedHistogram;
  service: DecodedHistogram;
  slip: DecodedHistogram;
  generatorSlip: DecodedHistogram;
  connectionWait: DecodedHistogram;
  /** In the order of the plan; undefined: a single one, or not known. */
  backends: PartResult[] | undefined;
  paths: PartResult[] | undefined;
}

/** What is known of one backend or request; of the account neither status codes nor bytes. */
export interface PartResult {
  account: Account;
  latency: DecodedHistogram | undefined;
}

/** The result in a termination message; undefined for any other text. */
export function parseTerminationMessage(text: string): WorkerResult | undefined {
  if (!text.startsWith('{"kind":"result"') || text.length > terminationMessageBytes) return undefined;
  try {
    const message: unknown = JSON.parse(text);
    if (!isMessage(message) || !isPossible(message.account)) return undefined;
    const {
      kind: _,
      generator,
      latency,
      service,
      slip,
      generatorSlip,
      connectionWait,
      backends,
      paths,
      ...totals
    } = message;
    return {
      ...totals,
      counters: generator,
      latency: decodeCompact(latency),
      service: decodeCompact(service),
      slip: decodeCompact(slip),
      generatorSlip: decodeCompact(generatorSlip),
      connectionWait: decodeCompact(connectionWait),
      backends: backends?.map(decodePart),
      paths: paths?.map(decodePart),
    };
  } catch (error: unknown) {
    if (error instanceof Error) return undefined; // no JSON, or text that no histogram has
    throw error;
  }
}

function decodePart([counts, failures, latency]: Part): PartResult {
  const [scheduled = 0, sent = 0, completed = 0, timedOut = 0, inFlight = 0, unsent = 0, lost = 0] = counts;
  const failed: Partial<Record<FailureKind, number>> = {};
  for (let at = 0; at + 1 < failures.length; at += 2) {
    const kind = failureKinds[failures[at] as number];
    const count = failures[at + 1] as number;
    if (kind !== undefined && count > 0) failed[kind] = count;
  }
  const account = { ...emptyAccount(), scheduled, sent, completed, failed, timedOut, inFlight, unsent, lost };
  return { account, latency: latency === "" ? undefined : decodeCompact(latency) };
}
