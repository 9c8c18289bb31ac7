// What people see of a running load on stderr: a view redrawn in place on a terminal, a line a second elsewhere.
import { formatView } from "../report/live-view.ts";
import { type AskedLoad, Progress } from "../report/progress.ts";
import { formatProgressLine } from "../report/progress-line.ts";
import { terminal, writeErr } from "../runtime/output.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { RedrawnView } from "./redrawn-view.ts";

export class RunView {
  readonly #asked: AskedLoad;
  readonly #progress: Progress;
  readonly #stop: AbortSignal;
  readonly #view = new RedrawnView();

  /** Of a load with this number of workers, that `stop` ends early. */
  constructor(asked: AskedLoad, workers: number, stop: AbortSignal) {
    this.#asked = asked;
    this.#progress = new Progress(workers);
    this.#stop = stop;
  }

  begin(): void {
    const screen = terminal();
    if (screen !== undefined) this.#view.draw([{ text: "opening connections" }], screen);
  }

  /** Shows the next second, once the newest snapshots of all workers have come. */
  take(snapshots: readonly SnapshotLine[]): void {
    const state = this.#progress.take(snapshots);
    if (state === undefined) return;
    const screen = terminal();
    if (screen === undefined) writeErr(`${formatProgressLine(state, this.#asked)}\n`);
    else this.#view.draw(formatView(state, this.#asked, this.#stop.aborted, screen.columns - 1), screen);
  }

  /** Takes the view away, so that what is printed next stands in its place. */
  end(): void {
    this.#view.end();
  }
}
