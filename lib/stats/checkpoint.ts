// What a worker has recorded so far, for the one that takes its place in the same Pod: the lines of a result.
import { Collector } from "./collector.ts";
import { formatLine, parseLine, resultLines } from "./line.ts";
import type { WorkerRecording } from "./recording.ts";

export function formatCheckpoint(recording: WorkerRecording): string {
  return resultLines(recording).map(formatLine).join("");
}

/** The recording in a checkpoint; undefined for any other text, and for one that is not whole. */
export function parseCheckpoint(text: string): WorkerRecording | undefined {
  try {
    const collector = new Collector();
    for (const line of text.split("\n").map(parseLine)) if (line !== undefined) collector.take(line);
    return collector.recordings()[0];
  } catch (error: unknown) {
    if (error instanceof Error) return undefined; // text that no histogram has
    throw error;
  }
}
