// What a LoadTest must keep to pass: the field of its spec, its rules, and what it says as numbers.
import Type, { type Static } from "typebox";
import { type LatencyQuantile, latencyQuantiles, type Threshold } from "../stats/threshold.ts";
import { durationPattern, parseDuration } from "./duration.ts";
import { parsePercent, percentPattern } from "./percent.ts";

/** Of a latency that is limited. */
export const leastLatency = "1us";
export const mostLatency = "10m";

export const quantileNames = Object.keys(latencyQuantiles) as LatencyQuantile[];

function latency(share: string) {
  return Type.Optional(
    Type.String({
      description: `${share} of the latencies may be at most this long, such as 250ms; from ${leastLatency} to ${mostLatency}.`,
      pattern: durationPattern,
      maxLength: 32,
      mustBe: `a duration from ${leastLatency} to ${mostLatency}, such as 250ms`,
    }),
  );
}

function percent(description: string, example: string) {
  const mustBe = `a percentage from 0% to 100%, such as ${example}`;
  return Type.Optional(Type.String({ description, pattern: percentPattern, maxLength: 16, mustBe }));
}

export const Thresholds = Type.Object(
  {
    latency: Type.Optional(
      Type.Object(
        {
          p50: latency("Half"),
          p90: latency("90 %"),
          p95: latency("95 %"),
          p99: latency("99 %"),
          p999: latency("99.9 %"),
        },
        {
          additionalProperties: false,
          description:
            "Longest latencies, by percentile. Latency counts from the instant at which a request was due, to the last byte of its response.",
          mustBe: `an object with the fields ${quantileNames.join(", ")}`,
        },
      ),
    ),
    errorRate: percent("Share of the requests that may fail, time out or not be sent at all, such as 0.1%.", "0.1%"),
    minRate: percent("Share of the asked rate that must be completed, such as 99%.", "99%"),
    abortOnFailure: Type.Optional(
      Type.Boolean({
        description: "End the run as soon as it can no longer pass, by the results of all workers so far.",
        mustBe: "true or false",
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      "What must be kept to pass, judged when the load has ended, on the results of all workers together. Absent means that some request must complete.",
    mustBe: "an object with the fields latency, errorRate, minRate and abortOnFailure",
  },
);
export type Thresholds = Static<typeof Thresholds>;

/** The thresholds of a spec that passed validation. */
export function effectiveThresholds({ latency = {}, errorRate, minRate }: Thresholds = {}): Threshold[] {
  const limits: [name: Threshold["name"], value: number | undefined][] = [
    ...quantileNames.map((name) => [name, parseDuration(latency[name] ?? "")] as [LatencyQuantile, number | undefined]),
    ["errorRate", parsePercent(errorRate ?? "")],
    ["minRate", parsePercent(minRate ?? "")],
  ];
  return limits.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
