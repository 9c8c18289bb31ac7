// Faults on purpose, and which requests get them: known by number beforehand, so that a driver's account can be checked.

/** What becomes of the connection once a reply has left. */
export const Ending = {
  Kept: 0,
  /** Ended in order, by FIN. */
  Closed: 1,
  /** Ended by RST. */
  Reset: 2,
  /** Left open, and never heard of again. */
  Silent: 3,
} as const;
export type Ending = (typeof Ending)[keyof typeof Ending];

export interface Fault {
  /** As asked for and as reported: `reset`, `status-503`. */
  kind: string;
  /** What the client gets: nothing, bytes that are not HTTP, a response cut in the middle, or a whole one. */
  sends: "nothing" | "junk" | "half" | "response";
  /** Status of the response. */
  code: number;
  /** Undefined: as the response says. */
  ending?: Ending;
}

/** `count` of the fault, due at the requests `every`, 2 · `every`, …, counted from 1. */
export interface FaultPlan {
  fault: Fault;
  count: number;
  every: number;
}

const faults: readonly Fault[] = [
  { kind: "reset", sends: "nothing", code: 200, ending: Ending.Reset },
  { kind: "close", sends: "nothing", code: 200, ending: Ending.Closed },
  { kind: "timeout", sends: "nothing", code: 200, ending: Ending.Silent },
  { kind: "malformed", sends: "junk", code: 200, ending: Ending.Closed },
  { kind: "reset-mid-body", sends: "half", code: 200, ending: Ending.Reset },
  { kind: "truncated", sends: "half", code: 200, ending: Ending.Closed },
  { kind: "close-idle", sends: "response", code: 200, ending: Ending.Closed },
  { kind: "redirect", sends: "response", code: 302 },
];
const kinds = [...faults.map(({ kind }) => kind), "status-400 … status-599"].join(", ");

const defaultEvery = 10;
/** `<kind>:<count>` or `<kind>:<count>@<every>`. */
const grammar = /^([^:]*):([1-9]\d{0,8})(?:@([1-9]\d{0,8}))?$/;

/** The plan that `text` asks for, or what is wrong with it. */
export function parseFault(text: string): FaultPlan | string {
  const [, kind, count, every = defaultEvery] = grammar.exec(text) ?? [];
  if (kind === undefined)
    return `no count, must be <kind>:<count> or <kind>:<count>@<every>, for example "reset:5@100"`;
  const code = Number(/^status-([45]\d\d)$/.exec(kind)?.[1]);
  const fault: Fault | undefined = code
    ? { kind, sends: "response", code }
    : faults.find((candidate) => candidate.kind === kind);
  if (fault === undefined) return `no such kind, must be one of ${kinds}`;
  return { fault, count: Number(count), every: Number(every) };
}

/**
 * Deals the faults out: a request has at most one, the one due longest (of equals the one planned first), and the others
 * wait for the next request. So every planned fault comes, if enough requests do.
 */
export class FaultSchedule {
  readonly #entries: { fault: Fault; left: number; every: number; dueAt: number }[];
  /** The first request that any fault is due at. */
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(plans: readonly FaultPlan[]) {
    this.#entries = plans.map(({ fault, count, every }) => ({ fault, left: count, every, dueAt: every }));
    this.#setNext();
  }

  /** The fault of this request; to be asked for every request once, in order. */
  take(requestNumber: number): Fault | undefined {
    if (requestNumber < this.#nextAt) return undefined;
    const entry = this.#entries.find(({ dueAt }) => dueAt === this.#nextAt)!;
    entry.left--;
    entry.dueAt = entry.left === 0 ? Number.POSITIVE_INFINITY : entry.dueAt + entry.every;
    this.#setNext();
    return entry.fault;
  }

  #setNext(): void {
    this.#nextAt = Math.min(...this.#entries.map(({ dueAt }) => dueAt));
  }
}
