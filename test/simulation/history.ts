// What users do and what goes wrong, step by step. A history is data: any part of one is a history too, so that one that
// ends badly can be cut down to what matters.
import type { CanarySpec } from "../../lib/loadtest/canary.ts";
import type { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { Chance } from "../chance.ts";
import { type Fate, fates } from "../model/fate.ts";
import type { Disturbance } from "../model/watch-stream.ts";
import { type HandOver, handOvers } from "./replicas.ts";

export type Step = { readonly atMs: number } & (
  | { readonly do: "create"; readonly name: string; readonly spec: LoadTestSpec }
  | { readonly do: "edit"; readonly name: string; readonly change: Readonly<Record<string, unknown>> }
  | { readonly do: "delete"; readonly name: string; readonly policy: "Background" | "Orphan" }
  | { readonly do: "setCanary"; readonly backends: CanarySpec["backends"] }
  | { readonly do: "setService"; readonly name: string; readonly exists: boolean }
  /** A Pod by its number among those that there are then. */
  | { readonly do: "deletePod" | "crashContainer"; readonly pod: number }
  | { readonly do: "evictPod"; readonly pod: number; readonly isGraceful: boolean }
  | { readonly do: "loseNode" | "destroyNode"; readonly node: number; readonly forMs: number }
  /** The kubelet misses so many changes of its Pods. */
  | { readonly do: "overlookChanges"; readonly node: number; readonly changes: number }
  /** What befalls a call, so many calls later. */
  | { readonly do: "disturbCall"; readonly fate: Fate; readonly afterCalls: number }
  | { readonly do: "disturbEvents"; readonly disturbance: Disturbance; readonly events: number }
  | { readonly do: "freezeWatches" | "breakWatches" | "compact" }
  | { readonly do: "restartControllers" }
  | { readonly do: "handOver"; readonly how: HandOver; readonly gapMs: number }
  /** Another one leads too, for a while. */
  | { readonly do: "secondLeader"; readonly forMs: number }
);

export interface History {
  /** Of everything that is left to chance: how long each thing takes. */
  readonly seed: number;
  /** Processes of the controller, of which one leads. */
  readonly replicas: number;
  /** In the order of time. */
  readonly steps: readonly Step[];
}

/** No LoadTest may ask for more; some do. */
export const maxRequestsPerSecond = 1000;
/** Those that come and go, and one of type ExternalName, which is always there. */
const services = ["web", "web2"];
export const outside = "outside";
const longestMs = 60_000;

export function randomHistory(seed: number): History {
  const chance = new Chance(seed, 1);
  const replicas = chance.oneIn(3) ? 1 : 2;
  const count = 3 + chance.below(14);
  const first: Step = { atMs: 0, do: "create", name: "a", spec: randomSpec(chance) };
  const others = Array.from({ length: count }, (): Step[] => {
    const atMs = chance.below(chance.oneIn(2) ? 5000 : longestMs);
    if (chance.oneIn(8)) return randomSuccession(chance, atMs);
    if (chance.oneIn(12)) return randomAftermath(chance, atMs);
    return [{ atMs, ...(chance.oneIn(2) ? randomDeed(chance) : randomFault(chance)) }];
  });
  return { seed, replicas, steps: [first, ...others.flat()].toSorted((a, b) => a.atMs - b.atMs) };
}

/** A LoadTest that is followed by another of the same name, while calls for it are on their way or its Pods out of reach. */
function randomSuccession(chance: Chance, atMs: number): Step[] {
  const policy = chance.oneIn(2) ? "Orphan" : "Background";
  const goneAtMs = atMs + 4000 + chance.below(6000);
  const trouble: Timeless<Step> = chance.oneIn(2)
    ? { do: "disturbCall", fate: "late", afterCalls: chance.below(4) }
    : { do: "loseNode", node: chance.below(2), forMs: 5000 + chance.below(30_000) };
  return [
    { atMs, do: "create", name: "a", spec: randomSpec(chance) },
    { atMs: goneAtMs - chance.below(3000), ...trouble },
    { atMs: goneAtMs, do: "delete", name: "a", policy },
    { atMs: goneAtMs + 200 + chance.below(3000), do: "create", name: "a", spec: randomSpec(chance) },
  ];
}

/**
 * A LoadTest that is over, or nearly so, when another controller takes over, while calls for it may be on their way; what
 * becomes of it and its Pods then is news to one that has only stood by.
 */
function randomAftermath(chance: Chance, atMs: number): Step[] {
  const seconds = 2 + chance.below(6);
  const handedOverAtMs = atMs + 1000 * seconds + chance.below(15_000);
  const { stages: _, ...spec } = randomSpec(chance);
  const afterwards: Timeless<Step> = chance.oneIn(2)
    ? { do: "delete", name: "c", policy: chance.oneIn(3) ? "Orphan" : "Background" }
    : { do: "deletePod", pod: chance.below(8) };
  return [
    { atMs, do: "create", name: "c", spec: { ...spec, duration: `${seconds}s` } },
    { atMs: handedOverAtMs - chance.below(4000), do: "disturbCall", fate: "late", afterCalls: chance.below(4) },
    { atMs: handedOverAtMs, ...randomHandOver(chance) },
    { atMs: handedOverAtMs + chance.below(50_000), ...afterwards },
  ];
}

function randomHandOver(chance: Chance): Timeless<Step> {
  const how = chance.pick(handOvers);
  if (how === "deposed" && chance.oneIn(2)) return { do: "handOver", how, gapMs: -chance.below(10_000) };
  return { do: "handOver", how, gapMs: chance.below(how === "stopped" ? 2000 : 17_000) };
}

type Timeless<T> = T extends unknown ? Omit<T, "atMs"> : never;

function randomDeed(chance: Chance): Timeless<Step> {
  const name = chance.oneIn(4) ? "b" : "a";
  switch (chance.below(8)) {
    case 0:
    case 1:
      return { do: "create", name, spec: randomSpec(chance) };
    case 2:
      return { do: "delete", name, policy: chance.oneIn(3) ? "Orphan" : "Background" };
    case 3:
      return { do: "setCanary", backends: randomBackends(chance) };
    default:
      return { do: "edit", name, change: randomChange(chance) };
  }
}

function randomFault(chance: Chance): Timeless<Step> {
  const pod = chance.below(8);
  const node = chance.below(2);
  switch (chance.below(18)) {
    case 0:
      return { do: "deletePod", pod };
    case 1:
      return { do: "evictPod", pod, isGraceful: chance.oneIn(2) };
    case 2:
      return { do: "crashContainer", pod };
    case 3:
      return { do: "loseNode", node, forMs: 1000 + chance.below(40_000) };
    case 4:
      return { do: "destroyNode", node, forMs: 1000 + chance.below(40_000) };
    case 5:
      return { do: "setService", name: chance.pick(services), exists: chance.oneIn(2) };
    case 6:
      return { do: "freezeWatches" };
    case 7:
      return { do: chance.oneIn(2) ? "breakWatches" : "compact" };
    case 8:
      return { do: "restartControllers" };
    case 9:
      return { do: "secondLeader", forMs: 1000 + chance.below(30_000) };
    case 10:
      return { do: "overlookChanges", node, changes: 1 + chance.below(2) };
    case 11: {
      const disturbance = chance.pick(["dropped", "doubled", "overtaken"] as const);
      return { do: "disturbEvents", disturbance, events: 1 + chance.below(6) };
    }
    case 12:
    case 13:
      return randomHandOver(chance);
    default:
      return { do: "disturbCall", fate: chance.pick(fates), afterCalls: chance.below(12) };
  }
}

function randomSpec(chance: Chance): LoadTestSpec {
  const target = chance.oneIn(5) ? { canary: "split" } : { service: chance.oneIn(8) ? "web2" : "web" };
  return {
    ...target,
    scheme: "http",
    requestsPerSecond: randomRate(chance),
    ...(chance.oneIn(6) ? {} : { workers: 1 + chance.below(3) }),
    ...randomLength(chance),
    ...(chance.oneIn(4) ? { arrivals: "Poisson" as const } : {}),
    ...(chance.oneIn(3) ? { paths: ["/a", "/b"] } : {}),
    ...(chance.oneIn(8) ? { startDeadline: `${1 + chance.below(20)}s` } : {}),
    ...(chance.oneIn(8) ? { thresholds: { minRate: "99%" } } : {}),
    ...(chance.oneIn(12) ? { state: chance.pick(["Paused", "Stopped"] as const) } : {}),
    ...(chance.oneIn(12) ? { ttlAfterFinished: "5s" } : {}),
  };
}

function randomLength(chance: Chance): Pick<LoadTestSpec, "duration" | "stages"> {
  if (chance.oneIn(8)) return { stages: randomStages(chance) };
  return chance.oneIn(3) ? { duration: `${3 + chance.below(25)}s` } : {};
}

function randomStages(chance: Chance): NonNullable<LoadTestSpec["stages"]> {
  return Array.from({ length: 1 + chance.below(3) }, () => ({
    duration: `${1 + chance.below(8)}s`,
    requestsPerSecond: chance.below(40),
  }));
}

function randomRate(chance: Chance): number {
  return chance.oneIn(20) ? 2 * maxRequestsPerSecond : 1 + chance.below(40);
}

/** One field or two. */
function randomChange(chance: Chance): Record<string, unknown> {
  const changes: { readonly [field in keyof LoadTestSpec]?: () => unknown } = {
    requestsPerSecond: () => randomRate(chance),
    workers: () => 1 + chance.below(4),
    state: () => chance.pick(["Running", "Running", "Paused", "Paused", "Stopped"]),
    duration: () => (chance.oneIn(2) ? null : `${3 + chance.below(25)}s`),
    stages: () => (chance.oneIn(2) ? null : randomStages(chance)),
    startDeadline: () => (chance.oneIn(2) ? null : "5s"),
    thresholds: () => (chance.oneIn(2) ? null : { minRate: "99%" }),
    paths: () => [`/${chance.below(3)}`],
    connections: () => 1 + chance.below(8),
    service: () => chance.pick([...services, outside]),
    runID: () => `run-${chance.below(3)}`,
    // What only new workers can follow.
    arrivals: () => chance.pick(["Constant", "Poisson"]),
    scheme: () => chance.pick(["http", "https"]),
    podTemplate: () => ({ labels: { edition: `${chance.below(3)}` } }),
  };
  const fields = Object.keys(changes) as (keyof typeof changes)[];
  const chosen = [chance.pick([...fields.slice(0, 3), ...fields]), ...(chance.oneIn(3) ? [chance.pick(fields)] : [])];
  const change = Object.fromEntries(chosen.map((field) => [field, changes[field]?.()]));
  return {
    ...change,
    ...("service" in change ? { canary: null } : {}),
    ...("stages" in change && change["stages"] !== null ? { duration: null } : {}),
    ...("duration" in change && change["duration"] !== null ? { stages: null } : {}),
  };
}

function randomBackends(chance: Chance): CanarySpec["backends"] {
  const percent = chance.below(101);
  return [
    { service: "web", percent },
    { service: "web2", percent: 100 - percent },
  ];
}

/** One line for each step. */
export function formatHistory({ seed, replicas, steps }: History): string {
  const lines = steps.map(({ atMs, ...step }) => `  ${formatMs(atMs)}  ${JSON.stringify(step)}`);
  return [`seed ${seed}, ${replicas} replicas, ${steps.length} steps:`, ...lines].join("\n");
}

export function formatMs(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(8)} s`;
}
