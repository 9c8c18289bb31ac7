// Standard output and error. Data goes to stdout, words to stderr, both written before the call returns.
import { writeSync } from "node:fs";

/** Writes all of `text` to stdout; false when its reader has gone away, as the end of a shell pipe may. */
export function writeOut(text: string): boolean {
  return writeAll(1, text);
}

/** Writes all of `text` to stderr. */
export function writeErr(text: string): void {
  writeAll(2, text);
}

/** Whether stderr is a terminal, so that a line may be redrawn. */
export function isTerminal(): boolean {
  return process.stderr.isTTY === true;
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
