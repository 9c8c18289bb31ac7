// How many workers a load has whose spec leaves that to us: as many as its rate asks for, and one more each time that they
// have been seen not to keep up. What was added stays until the rate falls, or the run is over.
import { mostWorkers } from "../load/worker-plan.ts";
import { type EffectiveSpec, highestRate } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Finding } from "../loadtest/load-test-status.ts";
import { isFollowing, type Worker } from "./crew.ts";
import { generatorSaturated } from "./live.ts";
import type { Script } from "./script.ts";
import { openSeats } from "./vacancies.ts";

/** From the creation of the youngest worker to the next: what it brings has to be seen first. */
const coolDownMs = 30_000;
/** Of the workers that the rate asks for. */
const mostTimes = 4;

export interface Scene {
  workers: readonly Worker[];
  /** What they were last told to do; undefined: there are none. */
  known: Script | undefined;
  /** Whether they send what is due; undefined: not heard of in this pass. */
  rate: Finding | undefined;
  /** Nothing is due any more. */
  isOver: boolean;
  nowMs: number;
}

/** The workers that are wanted as far as the LoadTest itself tells. */
export function knownSeats(loadTest: LoadTest, spec: EffectiveSpec): number {
  const { status = {}, metadata } = loadTest;
  if (!isOurs(loadTest) || status.observedGeneration !== metadata.generation) return spec.workers;
  return withinLimits(spec, status.workers?.desired ?? 0);
}

/** Whether a pass over the LoadTest may have to make Pods, beside those of the run's workers. */
export function mayLackPods(loadTest: LoadTest, spec: EffectiveSpec, workers: readonly Worker[]): boolean {
  return openSeats(workers, knownSeats(loadTest, spec)).length > 0 || (isOurs(loadTest) && wasSaturated(loadTest));
}

/** The workers that are wanted now. */
export function seatsWanted(loadTest: LoadTest, spec: EffectiveSpec, scene: Scene): number {
  if (!isOurs(loadTest)) return spec.workers;
  const { workers, known, rate, isOver, nowMs } = scene;
  const staying = workers.filter((worker) => isFollowing(worker) && !worker.isGoing);
  if (isOver) return withinLimits(spec, seatsOf(workers.filter(hasBegun))); // the others need not any more
  if (hasFallen(loadTest, known)) return spec.workers;
  const seats = withinLimits(spec, Math.max(seatsOf(staying), desiredBefore(loadTest)));
  const isSaturated = rate?.reason === generatorSaturated && wasSaturated(loadTest);
  return isSaturated && isInOrder(workers, seats, nowMs) ? withinLimits(spec, seats + 1) : seats;
}

/** Whether a worker has been added to those that the rate asks for. */
export function isRelief(loadTest: LoadTest, spec: EffectiveSpec, seat: number): boolean {
  return isOurs(loadTest) && seat >= spec.workers;
}

function isOurs({ spec }: LoadTest): boolean {
  return spec.workers === undefined;
}

function withinLimits({ workers }: EffectiveSpec, seats: number): number {
  return Math.max(workers, Math.min(seats, mostTimes * workers, mostWorkers));
}

function seatsOf(workers: readonly Worker[]): number {
  return Math.max(0, ...workers.map(({ seat }) => seat + 1));
}

function wasSaturated({ status }: LoadTest): boolean {
  return status?.conditions?.find(({ type }) => type === "RateAchieved")?.reason === generatorSaturated;
}

function hasBegun({ plan }: Worker): boolean {
  return plan !== undefined && !plan.stop && (!plan.barrier || plan.startAtMs !== undefined);
}

/** Of a former spec only where the status also says what rate that was, by which one that has fallen is known. */
function desiredBefore({ status = {}, metadata }: LoadTest): number {
  const isTelling = status.observedGeneration === metadata.generation || status.timeline !== undefined;
  return isTelling ? (status.workers?.desired ?? 0) : 0;
}

/**
 * Whether the spec is new, and asks for less than the former one. The status knows that one until it speaks of the new;
 * before the load begins it does not, and what workers have been told has to do.
 */
function hasFallen({ metadata, spec, status }: LoadTest, known: Script | undefined): boolean {
  if (status?.observedGeneration === metadata.generation) return false;
  const former = status?.timeline ?? known?.changes?.at(-1) ?? known;
  if (former === undefined) return true;
  const { requestsPerSecond, stages = [] } = former;
  const told = Math.max(requestsPerSecond as number, ...stages.map((stage) => stage.requestsPerSecond));
  return highestRate(spec) < told;
}

/** All are there, at work on what they were last told, and have been for a while. */
function isInOrder(workers: readonly Worker[], seats: number, nowMs: number): boolean {
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  const isAtWork = ({ pod, plan, isRunning, hasAcknowledged }: Worker) =>
    isRunning &&
    hasAcknowledged &&
    plan?.startAtMs !== undefined &&
    nowMs - Date.parse(pod.metadata.creationTimestamp) >= coolDownMs;
  return present.length === seats && present.every(isAtWork);
}
