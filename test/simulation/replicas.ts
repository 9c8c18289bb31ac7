// The processes of the controller. One of them leads and the others stand by, if all goes well: who, and when another takes
// over, is decided here, in place of the Lease.
import type { Chance } from "../chance.ts";
import type { VirtualTime } from "../model/virtual-time.ts";
import type { Replica } from "./replica.ts";

/** How the one that leads comes to lead no more: by SIGKILL, by SIGTERM, or by a Lease that it could not renew. */
export const handOvers = ["killed", "stopped", "deposed"] as const;
export type HandOver = (typeof handOvers)[number];

interface Options {
  time: VirtualTime;
  chance: Chance;
  /** How many there are when all are well. */
  count: number;
  /** Makes a process; `crashed` is called when it comes to its end by itself. */
  create: (crashed: () => void) => Replica;
}

export class Replicas implements Iterable<Replica> {
  readonly #options: Options;
  /** The oldest first. */
  readonly #all = new Set<Replica>();
  /** Nobody takes over before. */
  #freeAtMs = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Replica> {
    return this.#all.values();
  }

  /** Whether all are there, and just one leads. */
  get areWhole(): boolean {
    return this.#all.size === this.#options.count && [...this.#all].filter(({ leads }) => leads).length === 1;
  }

  /** In place of those that there are. */
  begin(): void {
    for (const replica of this.#all) replica.stop();
    this.#all.clear();
    this.#freeAtMs = 0;
    while (this.#all.size < this.#options.count) this.#add();
  }

  /** Another one takes over after so long; a negative time: for so long both lead, if the former one is still there. */
  handOver(how: HandOver, gapMs: number): void {
    const former = this.#leader;
    if (former === undefined) return;
    const { time } = this.#options;
    former.leads = false;
    this.#freeAfter(Math.max(0, gapMs), former);
    if (how === "killed") this.#lose(former);
    else if (how === "stopped") this.#dismiss(former);
    else if (gapMs < 0 && this.#leader !== former) {
      former.leads = true;
      time.after(-gapMs, () => this.#standDown(former));
    }
  }

  /** Another one leads too, for so long. */
  addLeader(forMs: number): void {
    const { count, time } = this.#options;
    const second = count > 1 ? [...this.#all].find(({ leads }) => !leads) : this.#add();
    if (second === undefined) return;
    second.leads = true;
    time.after(forMs, () => {
      if (this.#all.size > count && this.#all.delete(second)) second.stop();
      this.#standDown(second);
    });
  }

  get #leader(): Replica | undefined {
    return [...this.#all].find(({ leads }) => leads);
  }

  #add(): Replica {
    const replica = this.#options.create(() => {
      const { chance, count } = this.#options;
      // Without another one there is no Lease to wait for.
      if (replica.leads) this.#freeAfter(count > 1 ? 2000 + chance.below(15_000) : 0);
      this.#lose(replica);
    });
    this.#all.add(replica);
    this.#elect();
    replica.begin();
    return replica;
  }

  #lose(replica: Replica): void {
    replica.kill();
    this.#replace(replica);
  }

  #dismiss(replica: Replica): void {
    replica.stop();
    this.#replace(replica);
  }

  #replace(replica: Replica): void {
    const { time, chance, count } = this.#options;
    replica.leads = false;
    this.#all.delete(replica);
    time.after(1000 + chance.below(2000), () => this.#all.size < count && this.#add());
  }

  /** @param former Of several, the one that does not take over. */
  #freeAfter(delayMs: number, former?: Replica): void {
    const { time } = this.#options;
    this.#freeAtMs = time.nowMs + delayMs;
    if (delayMs === 0) this.#elect(former);
    else time.after(delayMs, () => this.#elect(former));
  }

  #elect(former?: Replica): void {
    if (this.#leader !== undefined || this.#options.time.nowMs < this.#freeAtMs) return;
    const candidates = [...this.#all];
    const next = candidates.find((replica) => replica !== former) ?? candidates[0];
    if (next !== undefined) next.leads = true;
  }

  #standDown(replica: Replica): void {
    replica.leads = false;
    this.#elect();
  }
}
