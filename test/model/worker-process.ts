// A worker as far as others see it: the share of the rate that it sends at each instant, what it says in its log, when it
// ends, and the message that it leaves. It follows its plans as the driver does, by the same code, and keeps a checkpoint.
import { liveChangeProblem, onClockOf } from "../../lib/load/live-change.ts";
import { beforeStartNs, rateCurve } from "../../lib/load/planned-schedule.ts";
import type { RateCurve } from "../../lib/load/rate-curve.ts";
import { parseWorkerPlan, planHash, type WorkerPlan } from "../../lib/load/worker-plan.ts";
import { Workload } from "../../lib/load/workload.ts";
import { interruptedCode } from "../../lib/runtime/signals.ts";
import { type Account, emptyAccount } from "../../lib/stats/account.ts";
import { emptyGeneratorReport } from "../../lib/stats/generator.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { formatLine, type ReadyLine, type SnapshotLine } from "../../lib/stats/line.ts";
import { emptyRecording } from "../../lib/stats/recording.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";

/** From the process's start to its open connections. */
const connectMs = 50;
/** From the last request to the end of the process. */
const drainMs = 20;
const mostLines = 64;
const noLatency = encodeHistogram(new Histogram());

/** What a process knows of those that ran in the same container before. */
export interface Checkpoint {
  readonly startedAtMs: number;
  /** Of the start, until which it tells. */
  readonly elapsedNs: number;
  readonly scheduled: number;
  readonly lost: number;
}

/** A span in which one plan holds. */
interface Leg {
  readonly plan: WorkerPlan;
  readonly curve: RateCurve;
  readonly afterNs: number;
}

interface Load {
  readonly startedAtMs: number;
  legs: Leg[];
  readonly workloads: Workload[];
  /** When this process began, after the start. */
  readonly beganNs: number;
  /** What was due after the checkpoint and before this process: nobody knows what has become of it. */
  readonly lost: number;
  /** Until when it has been told of. */
  toldNs: number;
}

export class WorkerProcess {
  #text: string;
  #plan: WorkerPlan;
  readonly #former: Checkpoint | undefined;
  readonly #readyAtMs: number;
  #knownAtMs: number;
  #stoppedAtMs: number | undefined;
  #isInterrupted = false;
  #endedAtMs = Number.POSITIVE_INFINITY;
  #load: Load | undefined;
  readonly #lines: string[] = [];

  /** Throws where a worker would end with an error: the text is no plan. */
  constructor(text: string, nowMs: number, former?: Checkpoint) {
    this.#readyAtMs = nowMs + connectMs;
    this.#knownAtMs = this.#readyAtMs;
    this.#text = text;
    this.#plan = parsePlan(text);
    this.#former = former;
    if (this.#plan.stop) this.stop(this.#readyAtMs);
  }

  get plan(): WorkerPlan {
    return this.#plan;
  }

  /** The text of the plan that it follows. */
  get text(): string {
    return this.#text;
  }

  /** Follows another plan from now on; returns why it cannot, if so. */
  follow(text: string, nowMs: number): string | undefined {
    const load = this.#loadAt(nowMs);
    const plan = parsePlan(text);
    const problem = liveChangeProblem(this.#plan, plan);
    if (problem !== undefined) return problem;
    this.#text = text;
    this.#plan = plan;
    this.#knownAtMs = Math.max(this.#readyAtMs, nowMs);
    if (load === undefined) this.#sayReady(nowMs);
    else {
      const elapsedNs = elapsed(load, nowMs);
      followIn(load, onClockOf(load.startedAtMs, plan), elapsedNs);
      this.#saySnapshot(load, elapsedNs);
    }
    if (plan.stop) this.stop(nowMs);
    return undefined;
  }

  stop(nowMs: number): void {
    this.#stoppedAtMs ??= nowMs;
  }

  /** As by a signal: it ends before its plan would have it. */
  interrupt(nowMs: number): void {
    const isOver = (this.endsAtMs ?? Number.POSITIVE_INFINITY) <= nowMs + drainMs;
    this.#isInterrupted ||= !isOver;
    this.stop(nowMs);
  }

  /** Of a process that has ended: whether its log tells of requests that were due. */
  get hasBegun(): boolean {
    return this.#load !== undefined;
  }

  /** Of a process that has ended by itself. */
  get exitCode(): number {
    return this.#isInterrupted ? interruptedCode : 0;
  }

  /** It is no more: its log stays as it is. */
  end(nowMs: number): void {
    this.log(nowMs, 0);
    this.#endedAtMs = nowMs;
  }

  /** When request 0 was due; undefined: it waits to be told. */
  get startAtMs(): number | undefined {
    const own = this.#load?.startedAtMs ?? this.#former?.startedAtMs ?? this.#plan.startAtMs;
    return own ?? (this.#plan.barrier ? undefined : this.#knownAtMs);
  }

  /** When it has ended; undefined: not by itself. */
  get endsAtMs(): number | undefined {
    if (this.#stoppedAtMs !== undefined) return this.#stoppedAtMs + drainMs;
    const { startAtMs } = this;
    const endMs = (this.#load?.legs.at(-1)?.curve ?? curveOf(this.#plan)).endNs / 1e6;
    if (startAtMs === undefined || endMs === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(startAtMs + endMs, this.#readyAtMs) + drainMs;
  }

  /** Whether the last change of its plan has come about; one that has yet to begin begins with the rate before that. */
  isSettledAt(nowMs: number): boolean {
    const leg = this.#loadAt(nowMs)?.legs.at(-1);
    const { startAtMs } = this;
    if (startAtMs === undefined) return true;
    const { changes } = leg?.plan ?? onClockOf(startAtMs, this.#plan);
    return (nowMs - startAtMs) * 1e6 >= Math.max(leg?.afterNs ?? beforeStartNs, changes?.at(-1)?.atNs ?? 0);
  }

  /** Requests per second that it is to send at this instant. */
  shareAt(nowMs: number): number {
    const load = this.#loadAt(nowMs);
    if (this.#stoppedAtMs !== undefined || load === undefined) return 0;
    const elapsedNs = elapsed(load, nowMs);
    const leg = load.legs.findLast(({ afterNs }) => afterNs <= elapsedNs);
    if (leg === undefined || elapsedNs < 0) return 0;
    const perMs = leg.curve.countAt(elapsedNs + 1e6) - leg.curve.countAt(elapsedNs);
    return (perMs * 1000) / leg.plan.worker.count;
  }

  /** The newest lines of its log: of those that it says every second only the newest each time that it is asked. */
  log(nowMs: number, tailLines: number): string {
    const load = this.#endedAtMs < nowMs ? undefined : this.#loadAt(nowMs);
    if (load === undefined) {
      if (this.#endedAtMs >= nowMs && nowMs >= this.#readyAtMs && this.#lines.length === 0) this.#sayReady(nowMs);
    } else this.#sayWholeSecond(load, nowMs);
    return this.#lines.slice(-tailLines).join("");
  }

  /** What it has kept for its successor, were it to end now. */
  checkpoint(nowMs: number): Checkpoint | undefined {
    const load = this.#loadAt(nowMs);
    if (load === undefined) return this.#former;
    this.#sayWholeSecond(load, nowMs);
    return { startedAtMs: load.startedAtMs, elapsedNs: load.toldNs, ...this.#counts(load, load.toldNs) };
  }

  /** How many requests it has completed by then, and those before it. */
  completed(nowMs: number): number {
    const load = this.#loadAt(nowMs);
    return load === undefined ? 0 : accountOf(this.#counts(load, this.#untilNs(load, nowMs))).completed;
  }

  /** Its result, all requests completed. */
  message(nowMs: number): string {
    const { backends, requests, worker } = this.#plan;
    const load = this.#loadAt(nowMs);
    const untilNs = load === undefined ? 0 : this.#untilNs(load, nowMs);
    const account = accountOf(load === undefined ? noCounts : this.#counts(load, untilNs));
    // Which of its parts a request belongs to is nobody's business here.
    const parts = backends.map(({ name }, backend) => ({
      name,
      paths: requests.map((_, path) => (backend + path === 0 ? { ...emptyRecording(), account } : emptyRecording())),
    }));
    return formatTerminationMessage({
      worker: worker.index,
      startedAtMs: load?.startedAtMs ?? nowMs,
      endedAtMs: nowMs,
      scheduledSeconds: Math.max(0, untilNs / 1e9),
      completedInTime: account.completed,
      backends: parts,
      generator: emptyGeneratorReport(),
    });
  }

  /** Of a process that has begun by then, its load. */
  #loadAt(nowMs: number): Load | undefined {
    const { startAtMs } = this;
    if (this.#load !== undefined || startAtMs === undefined || nowMs < this.#knownAtMs) return this.#load;
    const plan = onClockOf(startAtMs, this.#plan);
    const afterNs = Math.max(plan.joinNs ?? beforeStartNs, this.#former?.elapsedNs ?? beforeStartNs);
    const workloads = plan.backends.map((_, backend) => new Workload(plan, backend, afterNs));
    const beganNs = (this.#knownAtMs - startAtMs) * 1e6;
    this.#load = {
      startedAtMs: startAtMs,
      legs: [{ plan, curve: curveOf(plan), afterNs }],
      workloads,
      beganNs,
      lost: this.#former === undefined ? 0 : dueIn(workloads, beganNs),
      toldNs: this.#former?.elapsedNs ?? beforeStartNs,
    };
    if (this.#former === undefined && this.#plan.startAtMs === undefined) this.#saySnapshot(this.#load, 0);
    return this.#load;
  }

  #untilNs(load: Load, nowMs: number): number {
    const endNs = load.legs.at(-1)?.curve.endNs ?? 0;
    return Math.min(elapsed(load, Math.min(nowMs, this.#stoppedAtMs ?? nowMs)), endNs);
  }

  #counts({ workloads, lost }: Load, elapsedNs: number): Pick<Checkpoint, "scheduled" | "lost"> {
    const { scheduled = 0, lost: lostBefore = 0 } = this.#former ?? {};
    const due = dueIn(workloads, elapsedNs);
    return { scheduled: scheduled + due, lost: lostBefore + Math.min(lost, due) };
  }

  /** One that begins later than the first second speaks at once. */
  #sayWholeSecond(load: Load, nowMs: number): void {
    const untilNs = this.#untilNs(load, nowMs);
    const elapsedNs = Math.min(untilNs, Math.max(load.beganNs, Math.floor(untilNs / 1e9) * 1e9));
    if (untilNs >= 1e9 && elapsedNs > load.toldNs) this.#saySnapshot(load, elapsedNs);
  }

  #saySnapshot(load: Load, elapsedNs: number): void {
    load.toldNs = Math.max(load.toldNs, elapsedNs);
    this.#say({
      kind: "snapshot",
      worker: this.#plan.worker.index,
      plan: planHash(this.#text),
      startedAtMs: load.startedAtMs,
      elapsedSeconds: elapsedNs / 1e9,
      account: accountOf(this.#counts(load, elapsedNs)),
      latency: noLatency,
    } satisfies SnapshotLine);
  }

  #sayReady(nowMs: number): void {
    if (nowMs < this.#readyAtMs) return;
    this.#say({ kind: "ready", worker: this.#plan.worker.index, plan: planHash(this.#text) } satisfies ReadyLine);
  }

  #say(line: object): void {
    this.#lines.push(formatLine(line));
    if (this.#lines.length > mostLines) this.#lines.shift();
  }
}

const noCounts = { scheduled: 0, lost: 0 };

function accountOf({ scheduled, lost }: Pick<Checkpoint, "scheduled" | "lost">): Account {
  const sent = scheduled - lost;
  return { ...emptyAccount(), scheduled, sent, completed: sent, lost };
}

function elapsed({ startedAtMs }: Load, nowMs: number): number {
  return (nowMs - startedAtMs) * 1e6;
}

/** As Workload.follow has it: at once or, for another share, from the instant at which that one begins. */
function followIn(load: Load, plan: WorkerPlan, elapsedNs: number): void {
  const { worker, joinNs = beforeStartNs } = plan;
  const current = load.legs.findLast(({ afterNs }) => afterNs <= elapsedNs)?.plan.worker;
  const isSameShare = current?.index === worker.index && current.count === worker.count;
  const afterNs = isSameShare ? elapsedNs : Math.max(elapsedNs, joinNs);
  load.legs = [...load.legs.filter((leg) => leg.afterNs < afterNs), { plan, curve: curveOf(plan), afterNs }];
  for (const backend of plan.backends.keys()) {
    const workload = load.workloads[backend];
    if (workload === undefined) load.workloads.push(new Workload(plan, backend, Math.max(elapsedNs, joinNs)));
    else workload.follow(plan, elapsedNs);
  }
}

function dueIn(workloads: readonly Workload[], elapsedNs: number): number {
  let sum = 0;
  for (const workload of workloads) {
    while (workload.nextNs(elapsedNs) <= elapsedNs) workload.advance();
    for (const count of workload.due(elapsedNs)) sum += count;
  }
  return sum;
}

const checkedShapes = new Set<string>();

/** Checks each shape of a plan once: plans differ in numbers mostly, and the check of one takes longer than all the rest. */
function parsePlan(text: string): WorkerPlan {
  const shape = text.replace(/\d+/g, "0");
  if (checkedShapes.has(shape)) return JSON.parse(text);
  const plan = parseWorkerPlan(text);
  checkedShapes.add(shape);
  return plan;
}

function curveOf(plan: WorkerPlan): RateCurve {
  return rateCurve(plan) as RateCurve; // closed loops are not for Pods
}
