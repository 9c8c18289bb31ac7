// The plan of one worker: all it needs to know, as it travels from controller to Pod. Parsed once, then trusted.
import Ajv from "ajv";
import Type, { type Static } from "typebox";

export const WorkerPlan = Type.Object(
  {
    /** Of the LoadTest's spec that this plan was made from. */
    generation: Type.Integer({ minimum: 0 }),
    worker: Type.Object(
      { index: Type.Integer({ minimum: 0 }), count: Type.Integer({ minimum: 1 }) },
      { additionalProperties: false },
    ),
    /** What requests name, and what a certificate must be for. */
    origin: Type.Object(
      {
        scheme: Type.Unsafe<"http" | "https">({ type: "string", enum: ["http", "https"] }),
        host: Type.String({ minLength: 1, maxLength: 253 }),
        port: Type.Integer({ minimum: 1, maximum: 65535 }),
      },
      { additionalProperties: false },
    ),
    /** Where to connect instead of the origin's host and port. */
    connectTo: Type.Optional(
      Type.Object(
        { host: Type.String({ minLength: 1 }), port: Type.Integer({ minimum: 1, maximum: 65535 }) },
        { additionalProperties: false },
      ),
    ),
    /** PEM files with authorities to trust beside the public ones; files that do not exist are passed over. */
    caFiles: Type.Array(Type.String()),
    /** Accept any certificate. */
    insecure: Type.Boolean(),
    paths: Type.Array(Type.String({ pattern: "^/" }), { minItems: 1 }),
    /** Of all workers together. */
    requestsPerSecond: Type.Integer({ minimum: 1 }),
    /** Absent: until stopped. */
    durationNs: Type.Optional(Type.Integer({ minimum: 1 })),
    connections: Type.Integer({ minimum: 1 }),
    timeoutNs: Type.Integer({ minimum: 1 }),
    /** balanced: on time to microseconds, for most of a core; relaxed: within a millisecond, for little CPU. */
    pacing: Type.Unsafe<"balanced" | "relaxed">({ type: "string", enum: ["balanced", "relaxed"] }),
    /** true: do not begin before `startAtMs` is known. */
    barrier: Type.Boolean(),
    /** The instant of request 0, milliseconds since the Unix epoch. Absent: as soon as the connections are open. */
    startAtMs: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);
export type WorkerPlan = Static<typeof WorkerPlan>;

const ajv = new Ajv({ allErrors: true, strict: true });
const isWorkerPlan = ajv.compile<WorkerPlan>(WorkerPlan);

/** The plan in a JSON text; throws an Error that names every wrong field. */
export function parseWorkerPlan(text: string): WorkerPlan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause: unknown) {
    throw new Error("Cannot read the worker plan: must be JSON", { cause });
  }
  if (isWorkerPlan(value)) return value;
  throw new Error(`Cannot read the worker plan: ${ajv.errorsText(isWorkerPlan.errors, { dataVar: "plan" })}`);
}
