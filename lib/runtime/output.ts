// Standard output and error. Data goes to stdout, words to stderr, both written before the call returns.
import { writeSync } from "node:fs";

/** Writes all of `text` to stdout. A reader that has gone away (EPIPE) ends the output silently, as in a shell pipe. */
export function writeOut(text: string): void {
  writeAll(1, text);
}

/** Writes all of `text` to stderr. */
export function writeErr(text: string): void {
  writeAll(2, text);
}

/** Whether stderr is a terminal, so that a line may be redrawn. */
export function isTerminal(): boolean {
  return process.stderr.isTTY === true;
}

/** Columns of the terminal on stderr; 80 where unknown. */
export function terminalColumns(): number {
  return process.stderr.columns ?? 80;
}

function writeAll(fd: 1 | 2, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error: unknown) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error; // a full non-blocking pipe: write again
      Bun.sleepSync(1);
    }
  }
}
