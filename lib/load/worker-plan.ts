// The plan of one worker: all it needs to know, as it travels from controller to Pod. Parsed once, then trusted; whoever
// may edit Pods may write one, so what anything is counted or dated by has its bounds.
import { createHash } from "node:crypto";
import Type, { type Static, type TProperties } from "typebox";
import { Check, Errors } from "typebox/value";
import { highestRate } from "./rate-curve.ts";
import { headerNamePattern, headerValuePattern, methodPattern } from "./request.ts";

function closed<T extends TProperties>(properties: T, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

function oneOf<const T extends string>(...values: T[]) {
  return Type.Unsafe<T>({ type: "string", enum: values });
}

/** Workers that share a load at most. */
export const mostWorkers = 500;
/** Of the rates: of older ones a plan keeps how many requests were due by them. */
export const mostChanges = 100;
/** The last that a date-time (RFC 3339) can say. */
const lastInstantMs = 253_402_300_799_999;

const PortNumber = Type.Integer({ minimum: 1, maximum: 65535 });
/** At most as long as Go can say. */
const DurationNs = Type.Integer({ minimum: 1, maximum: 2 ** 63 });
const Rate = Type.Integer({ minimum: 0, maximum: highestRate });

const Origin = closed({
  scheme: oneOf("http", "https"),
  host: Type.String({ minLength: 1, maxLength: 253 }),
  port: PortNumber,
});

const PlannedRequest = closed({
  method: Type.String({ pattern: methodPattern }),
  path: Type.String({ pattern: "^/" }),
  /** A value stands here or, where it is nobody else's business, in a file. */
  headers: Type.Array(
    closed({
      name: Type.String({ pattern: headerNamePattern }),
      value: Type.Optional(Type.String({ pattern: headerValuePattern })),
      valueFile: Type.Optional(Type.String()),
    }),
  ),
  body: Type.Optional(Type.String()),
  bodyFile: Type.Optional(Type.String()),
  /** How often it comes in comparison with the others; 0: no longer. */
  weight: Type.Integer({ minimum: 0, maximum: 1000 }),
  /** The status codes that complete it. Absent: 200 to 399. */
  expectStatus: Type.Optional(Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), { minItems: 1 })),
});
export type PlannedRequest = Static<typeof PlannedRequest>;

const Stages = Type.Array(closed({ durationNs: DurationNs, requestsPerSecond: Rate }), { minItems: 1 });
const InstantNs = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** From `atNs` on the rates are these, at `clockNs` of the schedule's own clock, which stands still while paused. */
const Change = closed({
  /** After the start. */
  atNs: InstantNs,
  clockNs: InstantNs,
  /** How many requests of all workers are due by then. Absent: those that the rates before it make. */
  dueCount: Type.Optional(Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** No load until the next change, and no end. */
  paused: Type.Optional(Type.Literal(true)),
  requestsPerSecond: Type.Integer({ minimum: 1, maximum: highestRate }),
  durationNs: Type.Optional(DurationNs),
  stages: Type.Optional(Stages),
});
export type Change = Static<typeof Change>;

export const WorkerPlan = closed(
  {
    /** Of the LoadTest's spec that this plan was made from. */
    generation: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    /** Which of the requests are the worker's own. */
    worker: closed({
      index: Type.Integer({ minimum: 0, maximum: mostWorkers - 1 }),
      count: Type.Integer({ minimum: 1, maximum: mostWorkers }),
    }),
    /** Who gets the requests, in turn by percent (whole numbers that sum to 100). Changes append, positions stay. */
    backends: Type.Array(
      closed({
        /** What results call it. */
        name: Type.String({ minLength: 1 }),
        percent: Type.Integer({ minimum: 0, maximum: 100 }),
        /** What requests name, and what a certificate must be for. */
        origin: Origin,
        /** Where to connect instead of the origin's host and port. */
        connectTo: Type.Optional(closed({ host: Type.String({ minLength: 1 }), port: PortNumber })),
      }),
      { minItems: 1, maxItems: 16 },
    ),
    tls: closed({
      /** PEM files with authorities to trust beside the public ones; files that do not exist are passed over. */
      caFiles: Type.Array(Type.String()),
      /** Accept any certificate. */
      insecure: Type.Boolean(),
      /** The name to ask for and to verify, instead of the origin's host. */
      serverName: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
      /** PEM files with the worker's own certificate chain and key. */
      clientCertificate: Type.Optional(closed({ certFile: Type.String(), keyFile: Type.String() })),
    }),
    /** Changes append, positions stay. */
    requests: Type.Array(PlannedRequest, { minItems: 1 }),
    /** At the start, of all workers together; max: as fast as the connections are free (closed loop). */
    requestsPerSecond: Type.Unsafe<number | "max">({
      anyOf: [{ type: "integer", minimum: 1, maximum: highestRate }, { const: "max" }],
    }),
    /** Absent, without stages: until stopped. */
    durationNs: Type.Optional(DurationNs),
    /** Ramps after the rate at the start; instead of a duration. */
    stages: Type.Optional(Stages),
    /** How the rates were changed since the start, oldest first. */
    changes: Type.Optional(Type.Array(Change, { maxItems: mostChanges })),
    /** The requests are the worker's own only after this instant (ns after the start). Absent: from the start on. */
    joinNs: Type.Optional(InstantNs),
    /** End now, with the account complete. */
    stop: Type.Optional(Type.Literal(true)),
    arrivals: oneOf("Constant", "Poisson"),
    /** Of the Poisson arrivals: the same seed gives the same instants. */
    seed: Type.Integer({ minimum: 0, maximum: 0xffffffff }),
    connections: Type.Integer({ minimum: 1 }),
    /** Connections are opened anew after this time, spread evenly over it. Absent: never. */
    connectionLifetimeNs: Type.Optional(DurationNs),
    timeoutNs: DurationNs,
    /** balanced: on time to microseconds, for most of a core; relaxed: within a millisecond, for little CPU. */
    pacing: oneOf("balanced", "relaxed"),
    /** true: do not begin before `startAtMs` is known. */
    barrier: Type.Boolean(),
    /** Try each path once before the load, and begin none if no answer is as expected. */
    preflight: Type.Optional(Type.Literal(true)),
    /** The instant of request 0, milliseconds since the Unix epoch. Absent: as soon as the connections are open. */
    startAtMs: Type.Optional(Type.Number({ minimum: 0, maximum: lastInstantMs })),
  },
  { $id: "https://beta.kuar.com/v1/worker-plan.schema.json", title: "The plan of a worker" },
);
export type WorkerPlan = Static<typeof WorkerPlan>;
export type PlannedBackend = WorkerPlan["backends"][number];

/** The plan in a JSON text; throws an Error that names every wrong field. */
export function parseWorkerPlan(text: string): WorkerPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause: unknown) {
    throw new Error("Cannot read the worker plan: must be JSON", { cause });
  }
  // Checked as the schema stands: a compiled validator, as for LoadTests, would cost each worker 100 ms of its start.
  if (Check(WorkerPlan, value)) return checkShares(value);
  const errors = Errors(WorkerPlan, value).map(({ instancePath, message }) => `plan${instancePath} ${message}`);
  throw new Error(`Cannot read the worker plan: ${errors.join(", ")}`);
}

function checkShares(plan: WorkerPlan): WorkerPlan {
  const { backends, requests } = plan;
  const isUsed = backends.some(({ percent }) => percent > 0) && requests.some(({ weight }) => weight > 0);
  if (isUsed) return plan;
  throw new Error("Cannot read the worker plan: it uses no backend or no request, must use one of each");
}

/** Eight hex digits that tell the texts of plans apart: what a worker acknowledges. */
export function planHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
