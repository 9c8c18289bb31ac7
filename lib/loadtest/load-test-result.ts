// The LoadTestResult kind: what one run of a LoadTest measured, in full. It is data of its own, so that Pods may go and
// the status stays small; bounded, so that it fits into one object: under 1 MiB.
import Type, { type Static } from "typebox";
import { LoadTestResults } from "./load-test-results.ts";

export const mostPoints = 1800;
export const mostDeparted = 128;

const Point = Type.Object(
  {
    atSeconds: Type.Number({ description: "End of the time that it covers, in seconds after the start." }),
    seconds: Type.Number({ description: "Length of that time: 1, unless points were joined or logs not read." }),
    completed: Type.Integer({ description: "Requests that completed in it." }),
    errors: Type.Integer({ description: "Requests that failed or timed out in it." }),
    p50Us: Type.Optional(
      Type.Number({ description: "Median latency in microseconds; of joined points the higher. Absent: not known." }),
    ),
    p99Us: Type.Optional(
      Type.Number({
        description: "99 % of the latencies, in microseconds, are at most this long; of joined points the higher.",
      }),
    ),
  },
  { description: "What happened in some time." },
);
export type Point = Static<typeof Point>;

const DepartedWorker = Type.Object(
  {
    uid: Type.String({ description: "Uid of its Pod: it counts once." }),
    worker: Type.Integer({ description: "Index of its share." }),
    joinNs: Type.Number({ description: "Since when the share was its own, in nanoseconds after the start." }),
    message: Type.String({
      description: "Its termination message; where it left none, its last snapshot.",
      maxLength: 16384,
    }),
  },
  { description: "What a worker has told whose Pod may be gone." },
);
export type DepartedWorker = Static<typeof DepartedWorker>;

function histogram(of: string) {
  return Type.Optional(
    Type.String({ description: `${of}: nanoseconds, in the HdrHistogram V2 compressed format, base64.` }),
  );
}

export const LoadTestResultData = Type.Object({
  run: Type.Object(
    {
      uid: Type.String({ description: "Uid of the LoadTest." }),
      id: Type.Optional(Type.String({ description: "The runID of the run." })),
      hash: Type.String({ description: "Of the run, as in the names and labels of its Pods." }),
    },
    { description: "The run that was measured." },
  ),
  complete: Type.Boolean({ description: "Whether the run is over; nothing is written any more." }),
  results: Type.Optional(LoadTestResults),
  gap: Type.Optional(
    Type.String({ description: "What of the run is not known, in words; absent: nothing.", maxLength: 4096 }),
  ),
  histograms: Type.Object(
    {
      latency: histogram("From when requests were due to their last bytes"),
      service: histogram("From when requests were sent to their last bytes"),
      slip: histogram("From when requests were due to when they were sent"),
    },
    {
      description:
        "All samples of all workers, as finely as workers told of them: see the error shares of the results. While the run goes on, the latency until the last point of the series.",
    },
  ),
  series: Type.Array(Point, {
    description: "The run over time, a point for each second; when there are too many, the oldest are joined.",
    maxItems: mostPoints,
    "x-kubernetes-list-type": "atomic",
  }),
  departed: Type.Optional(
    Type.Array(DepartedWorker, {
      description: "While the run goes on: workers that have ended already, whose Pods may be deleted.",
      maxItems: mostDeparted,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
    }),
  ),
});
export type LoadTestResultData = Static<typeof LoadTestResultData>;

/** A LoadTestResult as it is written. */
export interface LoadTestResult extends LoadTestResultData {
  apiVersion: string;
  kind: "LoadTestResult";
  metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    ownerReferences: { apiVersion: string; kind: string; name: string; uid: string; controller: boolean }[];
    /** Absent: it is not there yet. */
    resourceVersion?: string;
  };
}
