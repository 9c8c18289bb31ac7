// What the controller has observed of a LoadTest, after the API conventions of Kubernetes.
import Type, { type Static } from "typebox";
import { toldCount, toldInstantMs } from "../stats/told.ts";
import { LoadTestResults } from "./load-test-results.ts";
import { oneOf } from "./one-of.ts";

export const phases = ["Pending", "Starting", "Running", "Paused", "Finished", "Failed"] as const;
export type Phase = (typeof phases)[number];

const Condition = Type.Object(
  {
    type: Type.String({
      description:
        "Kind of the condition: Accepted, WorkersReady, TargetAnswers, RateAchieved, Complete, Passed, Reconciling or Stalled.",
      maxLength: 316,
    }),
    status: oneOf(["True", "False", "Unknown"], { description: "Whether the condition holds." }),
    reason: Type.String({ description: "Why, in one CamelCase word for programs.", maxLength: 1024 }),
    message: Type.String({ description: "Why, in words for people.", maxLength: 32768 }),
    lastTransitionTime: Type.String({ description: "When the status last changed.", format: "date-time" }),
    observedGeneration: Type.Integer({ description: "Generation of the spec that the condition speaks of." }),
  },
  { description: "One observation of the LoadTest." },
);
export type Condition = Static<typeof Condition>;
/** What a condition says, without since when and of which spec. */
export type Finding = Pick<Condition, "type" | "status" | "reason" | "message">;

const Display = Type.Object(
  {
    rps: Type.String({ description: "Completed requests per second." }),
    errors: Type.String({ description: "Share of the requests that did not complete, such as 0.1%." }),
    p99: Type.String({ description: "99 % of the latencies are at most this long, such as 12.3ms." }),
  },
  { description: "Figures for people, as kubectl get shows them; programs read the results." },
);
export type Display = Static<typeof Display>;

const Timeline = Type.Object(
  {
    startAtMs: toldInstantMs("When request 0 was due, in milliseconds since 1970."),
    atNs: toldCount("When the rates were last changed, or will be, in nanoseconds after the start; 0: never."),
    clockNs: toldCount("How far the schedule was by then, in nanoseconds: it stands still while paused."),
    dueCount: Type.Optional(
      Type.Number({
        description: "Requests that were due by then. Absent: none.",
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
      }),
    ),
    paused: Type.Optional(
      Type.Unsafe<true>({ type: "boolean", enum: [true], description: "Nothing is due since then. Absent: it is." }),
    ),
    requestsPerSecond: Type.Integer({ description: "Requests per second of all workers since then.", minimum: 1 }),
    durationNs: Type.Optional(
      Type.Integer({ description: "Length of the schedule in nanoseconds. Absent: no end.", minimum: 1 }),
    ),
    stages: Type.Optional(
      Type.Array(
        Type.Object(
          {
            durationNs: Type.Integer({ description: "Nanoseconds that it takes.", minimum: 1 }),
            requestsPerSecond: Type.Integer({ description: "Requests per second at its end.", minimum: 0 }),
          },
          { description: "One linear ramp." },
        ),
        {
          description: "Ramps after requestsPerSecond, instead of a length.",
          minItems: 1,
          maxItems: 64,
          "x-kubernetes-list-type": "atomic",
        },
      ),
    ),
  },
  { description: "What is due while the run goes on, for workers that replace the last ones that knew." },
);

export const LoadTestStatus = Type.Object(
  {
    observedGeneration: Type.Optional(
      Type.Integer({ description: "Generation of the spec that this status speaks of." }),
    ),
    runID: Type.Optional(Type.String({ description: "The runID of the run that this status speaks of." })),
    phase: Type.Optional(oneOf(phases, { description: "A word for people; programs read the conditions." })),
    conditions: Type.Optional(
      Type.Array(Condition, {
        description:
          "Observations: Accepted, WorkersReady, TargetAnswers, RateAchieved, Complete, Passed; Reconciling and Stalled, as kstatus has them.",
        maxItems: 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
      }),
    ),
    workers: Type.Optional(
      Type.Object(
        {
          desired: Type.Integer({ description: "Worker Pods wanted." }),
          ready: Type.Integer({ description: "Worker Pods that are sending, or ready to." }),
        },
        { description: "Worker Pods." },
      ),
    ),
    startTime: Type.Optional(
      Type.String({ description: "When the load began, by its schedule.", format: "date-time" }),
    ),
    timeline: Type.Optional(Timeline),
    completionTime: Type.Optional(
      Type.String({ description: "When the controller saw that the run had ended.", format: "date-time" }),
    ),
    display: Type.Optional(Display),
    results: Type.Optional(LoadTestResults),
  },
  { description: "What has been observed. Written by the controller only." },
);
export type LoadTestStatus = Static<typeof LoadTestStatus>;
