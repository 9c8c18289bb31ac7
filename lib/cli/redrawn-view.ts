// Lines on a terminal's stderr that are drawn again in the same place. The terminal's modes stay as they are, so that
// whatever ends the program leaves nothing to repair.
import type { ViewLine } from "../report/live-view.ts";
import { type Terminal, writeErr } from "../runtime/output.ts";

const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";
const red = "\u001b[31m";
const plain = "\u001b[39m";

export class RedrawnView {
  #drawnRows = 0;
  #drawnColumns = 0;

  draw(lines: readonly ViewLine[], { columns, rows, hasColor }: Terminal): void {
    const shown = lines.slice(0, Math.max(1, rows - 1)); // one that has scrolled away could not be reached again
    // A terminal made narrower may have wrapped the drawn lines, into who knows how many: begin anew below them.
    const top = up(columns < this.#drawnColumns ? 0 : this.#drawnRows);
    const texts = shown.map(({ text, isBad }) => (isBad && hasColor ? `${red}${text}${plain}` : text));
    writeErr(`${top}${texts.map((text) => `${text}${clearLine}\n`).join("")}${clearBelow}`);
    this.#drawnRows = shown.length;
    this.#drawnColumns = columns;
  }

  /** Takes the view away, so that what is printed next stands in its place. */
  end(): void {
    if (this.#drawnRows > 0) writeErr(`${up(this.#drawnRows)}${clearBelow}`);
    this.#drawnRows = 0;
  }
}

/** To the first column of the line so far above; what the keyboard echoes may have moved the cursor. */
function up(rows: number): string {
  return rows === 0 ? "\r" : `\r\u001b[${rows}A`;
}
