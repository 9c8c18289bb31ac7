// The checkpoint of a worker: a file that outlives its process, but not its Pod. It is written in one step, so it is whole
// or as it was before.
import { monotonicNs } from "../runtime/clock.ts";
import { readTextFileIfPossible, replaceTextFile } from "../runtime/files.ts";
import { formatCheckpoint, parseCheckpoint } from "../stats/checkpoint.ts";
import { allRecordings, metrics, type WorkerRecording } from "../stats/recording.ts";

/** After a writing, for each of its histograms: nothing is sent for the 30 µs or so that one takes. */
const restNs = 6e6;

export class CheckpointFile {
  readonly #file: string;
  #nextNs = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** What an earlier process recorded; undefined: nothing that can be read. */
  read(): WorkerRecording | undefined {
    return parseCheckpoint(readTextFileIfPossible(this.#file) ?? "");
  }

  /** Writes what `record` returns, unless it is too soon after the last time. */
  write(record: () => WorkerRecording): void {
    const nowNs = monotonicNs();
    if (nowNs < this.#nextNs) return;
    const recording = record();
    this.#nextNs = nowNs + restNs * metrics.length * allRecordings(recording).length;
    try {
      replaceTextFile(this.#file, formatCheckpoint(recording));
    } catch (error: unknown) {
      // The load is worth more: without a newer checkpoint a restarted worker knows less.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
}
