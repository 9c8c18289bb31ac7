// Standard output and error. Data goes to stdout, words to stderr, both written before the call returns.
import { writeSync } from "node:fs";
import { environment } from "./process.ts";

/** Writes all of `text` to stdout; false when its reader has gone away, as the end of a shell pipe may. */
export function writeOut(text: string): boolean {
  return writeAll(1, text);
}

/** Writes all of `text` to stderr. */
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

function writeAll(fd: 1 | 2, text: string): boolean {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error: unknown) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return false;
      if (code !== "EAGAIN") throw error; // a full non-blocking pipe: write again
      Bun.sleepSync(1);
    }
  }
  return true;
}
