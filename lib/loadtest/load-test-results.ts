// What a finished LoadTest measured, as its status keeps it: the summary of all workers together without what would
// not fit there. Neither null, which a merge patch takes for a removal, nor anything without a bound.
import Type, { type Static } from "typebox";
import { accountProperties } from "../stats/account.ts";
import { Summary } from "../stats/summary.ts";

const Percentiles = Type.Object(Summary.properties.latencyUs.properties, {
  description: "In microseconds. Workers report as finely as they have room, never too low: see the error shares.",
});
const { scheduled, sent, completed, failed, timedOut, inFlight, unsent, lost } = accountProperties;

function errorShare(of: string) {
  return Type.Number({ description: `Percentiles of ${of} are at most this share above the exact ones.`, minimum: 0 });
}

const partProperties = {
  scheduled,
  sent,
  completed,
  failed,
  timedOut,
  inFlight,
  unsent,
  lost,
  latencyUs: Type.Optional(Percentiles),
  latencyErrorShare: Type.Optional(errorShare("this latency")),
};

export const PathResults = Type.Object(
  { path: Type.String({ description: "Method, unless GET, and path, cut at 256 characters." }), ...partProperties },
  { description: "The part of one request." },
);
export type PathResults = Static<typeof PathResults>;

export const BackendResults = Type.Object(
  { backend: Type.String({ description: "Its host name." }), ...partProperties },
  { description: "The part of one backend." },
);
export type BackendResults = Static<typeof BackendResults>;

/** As many as a LoadTest may request. */
export const mostPathResults = 32;

const { workers: _, histograms: __, ...kept } = Summary.properties;

export const LoadTestResults = Type.Object(
  {
    ...kept,
    latencyUs: Percentiles,
    serviceTimeUs: Percentiles,
    slipUs: Percentiles,
    generatorSlipUs: Percentiles,
    connectionWaitUs: Percentiles,
    askedPerSecond: Type.Number({ description: "Mean rate of the schedule, until its end.", minimum: 0 }),
    statusCodes: Type.Unsafe<Record<string, number>>({
      type: "object",
      description: "Whole responses by status code; of the 100 most frequent codes.",
      additionalProperties: { type: "integer", minimum: 1 },
    }),
    passed: Type.Optional(
      Type.Boolean({
        description: "Whether requests completed and all thresholds were kept; absent: nothing can be concluded.",
      }),
    ),
    latencyErrorShare: errorShare("latencyUs"),
    serviceTimeErrorShare: errorShare("serviceTimeUs"),
    slipErrorShare: errorShare("slipUs"),
    paths: Type.Optional(
      Type.Array(PathResults, {
        description:
          "Of several requests each one's part; absent where workers had no room to report it. Those that were requested to the end come first; of more than 32, as after changes, the others are cut.",
        maxItems: mostPathResults,
        "x-kubernetes-list-type": "atomic",
      }),
    ),
    backends: Type.Optional(
      Type.Array(BackendResults, {
        description: "Of several backends each one's part; absent where workers had no room to report it.",
        maxItems: 16,
        "x-kubernetes-list-type": "atomic",
      }),
    ),
  },
  { description: "What was measured, by all workers together; written once, when the last has ended." },
);
export type LoadTestResults = Static<typeof LoadTestResults>;
