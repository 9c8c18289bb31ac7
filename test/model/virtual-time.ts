// Time that passes only when it is told to: a queue of what happens when. While a simulation runs, it stands in for the
// process's clock, timers and chance, so that the controller's own code runs unchanged, a month in a second. Everything
// happens within one synchronous call: nothing else in the process ever sees it.
import { drainMicrotasks } from "bun:jsc";

interface Happening {
  readonly atMs: number;
  /** What is due at the same instant happens in the order in which it was asked for. */
  readonly number: number;
  readonly happen: () => void;
}

export class VirtualTime {
  nowMs: number;
  #number = 0;
  /** A binary heap: nobody is due before its parent. */
  readonly #heap: Happening[] = [];
  readonly #canceled = new Set<number>();

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** Has it happen after `delayMs`, at a whole millisecond, as clocks show them; returns the number by which it can be canceled. */
  after(delayMs: number, happen: () => void): number {
    const number = ++this.#number;
    this.#push({ atMs: Math.ceil(this.nowMs + Math.max(0, delayMs)), number, happen });
    return number;
  }

  cancel(number: number): void {
    this.#canceled.add(number);
  }

  /** Lets everything happen that is due until then, each with all that follows from it at once; then asks `look`. */
  runUntil(untilMs: number, look: () => void = () => {}): void {
    drainMicrotasks();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (this.#canceled.delete(next.number)) continue;
      this.nowMs = next.atMs;
      next.happen();
      drainMicrotasks();
      look();
    }
    this.nowMs = untilMs;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent] as Happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Happening;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.number < other.number);
}

/** Calls `run` with `time` and `random` in place of the process's; what it leaves behind never happens. */
export function inVirtualTime<T>(time: VirtualTime, random: () => number, run: () => T): T {
  const { setTimeout, clearTimeout } = globalThis;
  const { now } = Date;
  const chance = Math.random;
  globalThis.setTimeout = ((happen: () => void, delayMs = 0) => time.after(delayMs, happen)) as never;
  globalThis.clearTimeout = ((number: number) => time.cancel(number)) as never;
  Date.now = () => time.nowMs;
  Math.random = random;
  try {
    return run();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    Date.now = now;
    Math.random = chance;
  }
}
