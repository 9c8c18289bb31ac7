// An installation or a removal as people follow it: a line for each step on stderr, redrawn while it lasts on a terminal,
// and below it on stdout what has become of its objects.
import { formatObject } from "../fleet/resources.ts";
import type { Fate, Watcher } from "../fleet/watcher.ts";
import type { KubeObject } from "../plan/objects.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { terminal, writeErr, writeOut } from "../runtime/output.ts";
import { RedrawnView } from "./redrawn-view.ts";

const nameWidth = 13;
const objectWidth = 62;
/** Where nothing can be redrawn, what a step waits for is said no more often than this. */
const sayAgainMs = 5000;

export interface ObjectFate {
  kind: string;
  namespace?: string;
  name: string;
  outcome: Fate;
  reason?: string;
}

export class StepView implements Watcher {
  readonly #fates = new Map<string, ObjectFate>();
  readonly #hasLines: boolean;
  readonly #redrawn = new RedrawnView();
  #step = "";
  #startedNs = 0;
  #saidNs = 0;
  #said = "";
  #lines: string[] = [];

  /** @param hasLines Whether objects are lines on stdout; else they are only kept. */
  constructor(hasLines: boolean) {
    this.#hasLines = hasLines;
  }

  /** Of each object the last one that was told. */
  get fates(): ObjectFate[] {
    return [...this.#fates.values()];
  }

  begin(step: string): void {
    this.#step = step;
    this.#startedNs = monotonicNs();
    this.#saidNs = this.#startedNs;
    this.#said = "";
    this.waiting("");
  }

  waiting(words: string): void {
    const line = this.#lineOf(words);
    const screen = terminal();
    if (screen !== undefined) {
      this.#redrawn.draw([{ text: `${line}${this.#seconds()}`.slice(0, screen.columns - 1) }], screen);
    } else if (words !== this.#said && monotonicNs() - this.#saidNs >= sayAgainMs * 1e6) {
      writeErr(`${line}\n`);
      this.#saidNs = monotonicNs();
      this.#said = words;
    }
  }

  tell(object: KubeObject, outcome: Fate, reason?: string): void {
    const { namespace, name } = object.metadata;
    this.#fates.set(formatObject(object), {
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      outcome,
      ...(reason === undefined ? {} : { reason }),
    });
    const words = reason === undefined ? outcome : `${outcome}: ${reason}`;
    this.#lines.push(`  ${formatObject(object).padEnd(objectWidth)} ${words}\n`);
  }

  done(words: string): void {
    this.#redrawn.end();
    writeErr(`${this.#lineOf(words)}${this.#seconds()}\n`);
    this.#flush();
  }

  /** Takes the view away, and leaves what has been done; to be called however it ends. */
  end(): void {
    this.#redrawn.end();
    this.#flush();
  }

  #lineOf(words: string): string {
    return `${this.#step.padEnd(nameWidth)} ${words}`;
  }

  #seconds(): string {
    const seconds = (monotonicNs() - this.#startedNs) / 1e9;
    return seconds < 1 ? "" : ` (${seconds.toFixed(1)} s)`;
  }

  #flush(): void {
    if (this.#hasLines) writeOut(this.#lines.join(""));
    this.#lines = [];
  }
}

/** `5 created, 12 unchanged`. */
export function countFates(fates: readonly ObjectFate[]): string {
  const groups = Map.groupBy(fates, ({ outcome }) => outcome);
  return [...groups].map(([outcome, { length }]) => `${length} ${outcome}`).join(", ");
}
