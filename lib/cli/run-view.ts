// What people see of a running load on stderr: a view redrawn in place on a terminal, a line a second elsewhere.
// The terminal's modes stay as they are, so that whatever ends the program leaves nothing to repair.
import { formatView, type ViewLine } from "../report/live-view.ts";
import { type AskedLoad, Progress } from "../report/progress.ts";
import { formatProgressLine } from "../report/progress-line.ts";
import { type Terminal, terminal, writeErr } from "../runtime/output.ts";
import type { SnapshotLine } from "../stats/line.ts";

const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";
const red = "\u001b[31m";
const plain = "\u001b[39m";

export class RunView {
  readonly #asked: AskedLoad;
  readonly #progress: Progress;
  readonly #stop: AbortSignal;
  #drawnRows = 0;
  #drawnColumns = 0;

  /** Of a load with this number of workers, that `stop` ends early. */
  constructor(asked: AskedLoad, workers: number, stop: AbortSignal) {
    this.#asked = asked;
    this.#progress = new Progress(workers);
    this.#stop = stop;
  }

  begin(): void {
    const screen = terminal();
    if (screen !== undefined) this.#draw([{ text: "opening connections" }], screen);
  }

  /** Shows the next second, once the newest snapshots of all workers have come. */
  take(snapshots: readonly SnapshotLine[]): void {
    const state = this.#progress.take(snapshots);
    if (state === undefined) return;
    const screen = terminal();
    if (screen === undefined) writeErr(`${formatProgressLine(state, this.#asked)}\n`);
    else this.#draw(formatView(state, this.#asked, this.#stop.aborted, screen.columns - 1), screen);
  }

  /** Takes the view away, so that what is printed next stands in its place. */
  end(): void {
    if (this.#drawnRows > 0) writeErr(`${up(this.#drawnRows)}${clearBelow}`);
    this.#drawnRows = 0;
  }

  #draw(lines: readonly ViewLine[], { columns, rows, hasColor }: Terminal): void {
    const shown = lines.slice(0, Math.max(1, rows - 1)); // one that has scrolled away could not be reached again
    // A terminal made narrower may have wrapped the drawn lines, into who knows how many: begin anew below them.
    const top = up(columns < this.#drawnColumns ? 0 : this.#drawnRows);
    const texts = shown.map(({ text, isBad }) => (isBad && hasColor ? `${red}${text}${plain}` : text));
    writeErr(`${top}${texts.map((text) => `${text}${clearLine}\n`).join("")}${clearBelow}`);
    this.#drawnRows = shown.length;
    this.#drawnColumns = columns;
  }
}

/** To the first column of the line so far above; what the keyboard echoes may have moved the cursor. */
function up(rows: number): string {
  return rows === 0 ? "\r" : `\r\u001b[${rows}A`;
}
