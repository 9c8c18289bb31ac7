// Work by key: each key at most once at a time, several keys at once. A key that rings while its work is under way is
// worked on once more; one whose work fails is tried again later and later, and holds up no other. Who rings may leave time
// for others to ring as well, so that news that come together are worked on together.
//
// Urgent keys have a lane of their own, and what follows for them next, one that can wait. While there are urgent ones, and
// for a moment after, as they come in crowds, few others are worked on, and those that can wait only after a long time.

export interface WorkQueueOptions {
  /** Does the work of a key; resolves with after how many ms to look again, if at all. */
  work: (key: string) => Promise<number | undefined>;
  failed: (key: string, error: unknown) => void;
  /** Keys at once, in each lane. */
  width: number;
  /** The press of urgent keys is over. */
  calmed?: () => void;
  /** In [0, 1), for the jitter. */
  random: () => number;
}

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** After an urgent key: another one may follow. */
const pressMs = 250;
/** Others that are worked on in the press. */
const widthInPress = 2;
/** After this time one that can wait is like any other: nobody waits for ever. */
const patienceMs = 5000;

/** Timers that are to ring after 2³¹ ms ring at once. */
const longestRestMs = 3_600_000;

type Lane = "urgent" | "ordinary" | "patient";

interface Entry {
  lane: Lane;
  /** waiting: in line; working; resting: until its timer rings. */
  state: "waiting" | "working" | "resting";
  /** While it is worked on: so long after that it is to be worked on once more. */
  againMs?: number | undefined;
  /** It rests for others to ring as well. */
  isGathering?: boolean;
  failures: number;
  timer?: ReturnType<typeof setTimeout>;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #lines: Record<Lane, string[]> = { urgent: [], ordinary: [], patient: [] };
  readonly #working: Record<Lane, number> = { urgent: 0, ordinary: 0, patient: 0 };
  /** Runs for a moment after each urgent key. */
  #press: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #idle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys in line or under way. */
  get size(): number {
    return this.#sizeOf("urgent") + this.#sizeOf("ordinary") + this.#sizeOf("patient");
  }

  /** Whether urgent keys are in line or under way, or were a moment ago. */
  get isPressed(): boolean {
    return this.#sizeOf("urgent") > 0 || this.#press !== undefined;
  }

  /**
   * Has the key worked on soon. After failures it waits for its turn, however often it rings.
   *
   * @param how.lane Of a key that is new here.
   * @param how.gatherMs How long it may wait for others to ring; whoever rings without ends that.
   */
  ring(key: string, { lane = "ordinary", gatherMs = 0 }: { lane?: Lane; gatherMs?: number } = {}): void {
    if (this.#isStopped) return;
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#begin(key, { lane, state: "waiting", failures: 0 }, gatherMs);
    else if (entry.state === "working") entry.againMs = Math.min(entry.againMs ?? gatherMs, gatherMs);
    else if (entry.state === "resting" && entry.failures === 0 && !(entry.isGathering && gatherMs > 0)) {
      clearTimeout(entry.timer);
      this.#begin(key, entry, gatherMs);
    }
  }

  /** Has a key that is not known here worked on after so long. */
  ringLater(key: string, delayMs: number): void {
    if (this.#isStopped || this.#entries.has(key)) return;
    const entry: Entry = { lane: "ordinary", state: "resting", failures: 0 };
    this.#entries.set(key, entry);
    this.#rest(key, entry, delayMs);
  }

  /** Takes no more work; resolves when what is under way is done. */
  stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#press);
    for (const line of Object.values(this.#lines)) line.length = 0;
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #sizeOf(lane: Lane): number {
    return this.#lines[lane].length + this.#working[lane];
  }

  #begin(key: string, entry: Entry, gatherMs: number): void {
    this.#entries.set(key, entry);
    if (gatherMs === 0) this.#enter(key, entry);
    else this.#rest(key, entry, gatherMs, true);
  }

  #enter(key: string, entry: Entry): void {
    entry.state = "waiting";
    this.#lines[entry.lane].push(key);
    if (entry.lane === "patient") entry.timer = setTimeout(() => this.#losePatience(key, entry), patienceMs);
    this.#next();
  }

  #losePatience(key: string, entry: Entry): void {
    const line = this.#lines.patient;
    line.splice(line.indexOf(key), 1);
    entry.lane = "ordinary";
    this.#enter(key, entry);
  }

  #next(): void {
    const { width } = this.#options;
    const isPressed = this.isPressed;
    this.#fill("urgent", width);
    this.#fill("ordinary", isPressed ? widthInPress : width);
    this.#fill("patient", isPressed ? 0 : width);
  }

  #fill(lane: Lane, width: number): void {
    while (this.#working[lane] < width) {
      const key = this.#lines[lane].shift();
      if (key === undefined) return;
      this.#working[lane]++;
      void this.#work(key, this.#entries.get(key) as Entry);
    }
  }

  async #work(key: string, entry: Entry): Promise<void> {
    clearTimeout(entry.timer);
    entry.state = "working";
    entry.againMs = undefined;
    const { lane } = entry;
    let delayMs: number | undefined;
    try {
      delayMs = await this.#options.work(key);
      entry.failures = 0;
    } catch (error: unknown) {
      this.#options.failed(key, error);
      delayMs = this.#backoffMs(++entry.failures);
    }
    this.#working[lane]--;
    entry.lane = lane === "urgent" ? "patient" : "ordinary";
    if (lane === "urgent") this.#holdBack();
    if (this.#isStopped) this.#entries.delete(key);
    else if (entry.againMs !== undefined && entry.failures === 0) this.#begin(key, entry, entry.againMs);
    else if (delayMs === undefined) this.#entries.delete(key);
    else this.#rest(key, entry, delayMs);
    this.#next();
    if (this.size === 0) this.#idle?.();
  }

  #holdBack(): void {
    clearTimeout(this.#press);
    this.#press = setTimeout(() => {
      this.#press = undefined;
      this.#next();
      this.#options.calmed?.();
    }, pressMs);
  }

  #rest(key: string, entry: Entry, delayMs: number, isGathering = false): void {
    entry.state = "resting";
    entry.isGathering = isGathering;
    entry.timer = setTimeout(() => this.#enter(key, entry), Math.min(delayMs, longestRestMs));
  }

  #backoffMs(failures: number): number {
    const delayMs = Math.min(firstDelayMs * 2 ** (failures - 1), longestDelayMs);
    return delayMs * (0.5 + this.#options.random() / 2);
  }
}
