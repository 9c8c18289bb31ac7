// The search for the highest rate, as programs read it. The schema is its only description, and is published.
import Type, { type Static } from "typebox";
import { Summary } from "./summary.ts";

const Probe = Type.Object(
  {
    requestsPerSecond: Type.Unsafe<number | null>({
      type: ["integer", "null"],
      description: "The rate that was tried; null for the closed loop that begins the search.",
    }),
    kept: Type.Unsafe<boolean | null>({
      type: ["boolean", "null"],
      description:
        "Whether all thresholds were kept, the generator's own lateness included, and the target did not fall behind; null: nothing is known, because the generator may be to blame. Always null for the closed loop.",
    }),
    fellBehind: Type.Boolean({
      description: "Whether requests were owed at the end: the queue for the target had begun to grow.",
    }),
    failure: Type.Unsafe<string | null>({
      type: ["string", "null"],
      description: "Why the probe has no summary: the target could not be reached any more.",
    }),
    summary: Type.Union([Summary, Type.Null()]),
  },
  { additionalProperties: false },
);
export type Probe = Static<typeof Probe>;

export const Maximum = Type.Object(
  {
    probes: Type.Array(Probe),
    requestsPerSecond: Type.Unsafe<number | null>({
      type: ["integer", "null"],
      description: "The highest rate that was kept; null: none was.",
    }),
    isExact: Type.Boolean({
      description: "Whether the lowest rate refused is so close above that no other was worth trying.",
    }),
    generatorLimits: Type.Array(Type.String(), {
      description: "Why the generator and not the target may be the limit; empty when the target is.",
    }),
  },
  {
    $id: "https://beta.kuar.com/v1/maximum.schema.json",
    title: "What a search for the highest rate found",
    additionalProperties: false,
  },
);
export type Maximum = Static<typeof Maximum>;
