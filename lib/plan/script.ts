// What all workers of a run do, whatever their share: the part of their plans that is the same for all. It is changed
// while they follow it, and so grows by what is new: positions in its lists keep their meaning for the results.
import { isDeepStrictEqual } from "node:util";
import type { PlannedBackend, PlannedRequest, WorkerPlan } from "../load/worker-plan.ts";
import { type Timeline, withoutOldestChange } from "./timeline.ts";

export type Script = Omit<
  WorkerPlan,
  "generation" | "worker" | "barrier" | "preflight" | "startAtMs" | "joinNs" | "stop"
>;

const mostRequests = 256;
const mostBackends = 16;
/** Of a script as it stands in a plan, with the Pod's other annotations: they may have 256 KiB together. */
const mostBytes = 200 * 1024;

function scriptOf(plan: WorkerPlan): Script {
  const {
    generation: _,
    worker: __,
    barrier: ___,
    preflight: ____,
    startAtMs: _____,
    joinNs: ______,
    stop: _______,
    ...script
  } = plan;
  return script;
}

/** Of the latest plan; undefined when there is none. */
export function latestScript(plans: readonly WorkerPlan[]): Script | undefined {
  const latest = latestPlan(plans);
  return latest === undefined ? undefined : scriptOf(latest);
}

/** The plan that most has happened to: after a crash amid a change, some workers may not have heard of it. */
export function latestPlan(plans: readonly WorkerPlan[]): WorkerPlan | undefined {
  const extent = ({ changes, requests, backends, generation }: WorkerPlan) => [
    changes?.at(-1)?.atNs ?? -1,
    generation,
    requests.length + backends.length,
  ];
  return plans.toSorted((a, b) => compare(extent(b), extent(a)))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] as number)).find((difference) => difference !== 0) ?? 0;
}

/**
 * The known script, grown by what is wanted, with this timeline, unless it would outgrow a plan.
 *
 * @param otherBytes Of the Pod's other annotations.
 */
export function scriptTowards(
  known: Script | undefined,
  wanted: Script,
  timeline: Timeline,
  otherBytes: number,
): Script {
  const script = withTimeline(wanted, timeline);
  const room = mostBytes - otherBytes;
  const grown = {
    ...script,
    backends: continued(known?.backends ?? [], wanted.backends, unusedBackend, mostBackends),
    requests: continued(known?.requests ?? [], wanted.requests, unusedRequest, mostRequests),
  };
  return scriptBytes(grown) <= room ? grown : withRecentChanges(script, room);
}

/** The same at other rates. */
export function withTimeline<T extends Script>(one: T, timeline: Timeline): T {
  const { requestsPerSecond: _, durationNs: __, stages: ___, changes: ____, ...rest } = one;
  return { ...rest, ...timeline } as T;
}

export function scriptBytes(script: Script): number {
  return Buffer.byteLength(JSON.stringify(script));
}

/** With so many of its last changes as there is room for, one at least. */
function withRecentChanges(script: Script, room: number): Script {
  const { changes = [] } = script;
  if (changes.length < 2 || scriptBytes(script) <= room) return script;
  return withRecentChanges(withoutOldestChange(script), room);
}

/** Whether a worker can follow the script without being replaced. */
export function canFollow(plan: WorkerPlan, script: Script): boolean {
  return isDeepStrictEqual(fixedPart(plan), fixedPart(script)) && keepsPositions(plan, script);
}

/** Whether backends and requests of the plan are at the same places in the script. */
export function keepsPositions(plan: WorkerPlan, script: Script): boolean {
  return (
    isContinued(plan.backends, script.backends, unusedBackend) &&
    isContinued(plan.requests, script.requests, unusedRequest)
  );
}

function fixedPart({ tls, arrivals, seed, pacing }: Script): object {
  return { tls, arrivals, seed, pacing };
}

function unusedBackend(backend: PlannedBackend): PlannedBackend {
  return { ...backend, percent: 0 };
}

function unusedRequest(request: PlannedRequest): PlannedRequest {
  return { ...request, weight: 0 };
}

/** The known ones at their places, unused unless wanted, then the new ones; too many: the wanted ones alone. */
function continued<T>(known: readonly T[], wanted: readonly T[], unused: (one: T) => T, most: number): T[] {
  const added = [...wanted];
  const kept = known.map((one) => {
    const at = added.findIndex((other) => isDeepStrictEqual(unused(other), unused(one)));
    return at === -1 ? unused(one) : (added.splice(at, 1)[0] as T);
  });
  return kept.length + added.length > most ? [...wanted] : [...kept, ...added];
}

function isContinued<T>(known: readonly T[], later: readonly T[], unused: (one: T) => T): boolean {
  return known.every((one, at) => {
    const other = later[at];
    return other !== undefined && isDeepStrictEqual(unused(one), unused(other));
  });
}
