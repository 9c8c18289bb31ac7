// Standard output and error. Data goes to stdout, words to stderr, both written before the call returns.
import { writeSync } from "node:fs";
import { systemReason } from "./error-message.ts";
import { environment } from "./process.ts";

/** Writes all of `text` to stdout; false when its reader has gone away, as the end of a shell pipe may. Throws on others. */
export function writeOut(text: string): boolean {
  const failure = writeAll(1, text);
  if (failure === undefined) return true;
  if (failure.code === "EPIPE") return false;
  throw new Error(`Cannot write to stdout: ${systemReason(failure)}`);
}

/** Writes `text` to stderr, where it can: a full disk under a log must not cost a run its result. */
export function writeErr(text: string): void {
  writeAll(2, text);
}

export interface Terminal {
  columns: number;
  rows: number;
  hasColor: boolean;
}

/** The terminal that stderr is, at its present size; undefined for anything else and for one that cannot redraw. */
export function terminal(): Terminal | undefined {
  const { isTTY, columns, rows } = process.stderr;
  if (isTTY !== true || (environment("TERM") ?? "dumb") === "dumb") return undefined;
  return { columns: columns || 80, rows: rows || 24, hasColor: environment("NO_COLOR") === undefined };
}

/** What kept some of it from being written; undefined: nothing. */
function writeAll(fd: 1 | 2, text: string): NodeJS.ErrnoException | undefined {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error: unknown) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== "EAGAIN") return failure;
      Bun.sleepSync(1); // a full non-blocking pipe: write again
    }
  }
  return undefined;
}
