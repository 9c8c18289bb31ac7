// What several workers recorded, added up one worker at a time: all that a summary of them together needs, in the
// memory of one. Mergeable, never summarized.
import { type GeneratorFigures, type GeneratorReport, generatorFigures } from "./generator.ts";
import { Histogram } from "./histogram.ts";
import { addRecording, emptyRecording, type Recording, type WorkerRecording } from "./recording.ts";

export interface Totals {
  /** The earliest; Infinity without workers. */
  startedAtMs: number;
  /** The latest. */
  endedAtMs: number;
  /** The longest. */
  scheduledSeconds: number;
  completedInTime: number;
  recording: Recording;
  generatorSlip: Histogram;
  connectionWait: Histogram;
  /** By worker. */
  generators: GeneratorFigures[];
}

export function emptyTotals(): Totals {
  return {
    startedAtMs: Number.POSITIVE_INFINITY,
    endedAtMs: 0,
    scheduledSeconds: 0,
    completedInTime: 0,
    recording: emptyRecording(),
    generatorSlip: new Histogram(),
    connectionWait: new Histogram(),
    generators: [],
  };
}

type WorkerTotals = Pick<WorkerRecording, "startedAtMs" | "endedAtMs" | "scheduledSeconds" | "completedInTime">;

/** Adds a worker, whose `recording` is of all its requests. */
export function addWorker(
  totals: Totals,
  worker: WorkerTotals,
  recording: Recording,
  generator: GeneratorReport,
): void {
  totals.startedAtMs = Math.min(totals.startedAtMs, worker.startedAtMs);
  totals.endedAtMs = Math.max(totals.endedAtMs, worker.endedAtMs);
  totals.scheduledSeconds = Math.max(totals.scheduledSeconds, worker.scheduledSeconds);
  totals.completedInTime += worker.completedInTime;
  addRecording(totals.recording, recording);
  totals.generatorSlip.merge(generator.slip);
  totals.connectionWait.merge(generator.connectionWait);
  totals.generators.push(generatorFigures(generator));
}
