// Inspections of several clusters → what differs: from what this version would install, and, where that leaves a choice, from
// the first cluster that could be looked at.
import type { Outcome } from "./clusters.ts";
import type { Doubt } from "./doubts.ts";
import type { Inspection, ObjectDifference } from "./inspection.ts";
import { formatPlacement } from "./installation.ts";
import { formatObject } from "./resources.ts";
import type { CertificateFact } from "./trust.ts";

export interface Drift extends ObjectDifference {
  context: string;
  /** The context whose value is wanted; absent: what this version, the options or the fleet file say. */
  as?: string;
}

export interface ClusterReport {
  context: string;
  /** `unknown`: it could not be looked at, or not at everything, and nothing of what was seen differs. */
  state: "same" | "differs" | "unknown";
  /** Why it could not be looked at at all. */
  error?: string;
  /** Of the API server. */
  version?: string;
  /** As they were found; what is told instead is not among them. */
  installation?: { placement?: string; image?: string; replicas?: number };
  imageDigests?: readonly string[];
  certificates?: readonly CertificateFact[];
  doubts: readonly Doubt[];
}

export interface FleetDiff {
  clusters: readonly ClusterReport[];
  differences: readonly Drift[];
}

export function diffOf(outcomes: readonly Outcome<Inspection>[]): FleetDiff {
  const seen = outcomes.flatMap((outcome) =>
    "error" in outcome ? [] : [{ context: outcome.context, inspection: outcome.value }],
  );
  const differences = [
    ...seen.flatMap(({ context, inspection }) => inspection.differences.map((each) => ({ context, ...each }))),
    ...differencesBetween(seen),
  ];
  const clusters = outcomes.map((outcome) =>
    reportOf(
      outcome,
      differences.some(({ context }) => context === outcome.context),
    ),
  );
  return { clusters, differences };
}

/** 0 same, 1 differs, 2 could not tell: what was not seen is never the same. */
export function exitCodeOf({ clusters, differences }: FleetDiff): 0 | 1 | 2 {
  if (clusters.some(({ error, doubts }) => error !== undefined || doubts.length > 0)) return 2;
  return differences.length > 0 ? 1 : 0;
}

function reportOf(outcome: Outcome<Inspection>, isDifferent: boolean): ClusterReport {
  const { context } = outcome;
  if ("error" in outcome) return { context, state: "unknown", error: outcome.error, doubts: [] };
  const { version, found, imageDigests, certificates, doubts } = outcome.value;
  const { placement, ...options } = found;
  const uncertain = doubts.length > 0 ? "unknown" : "same";
  return {
    context,
    state: isDifferent ? "differs" : uncertain,
    version,
    installation: { ...(placement === undefined ? {} : { placement: formatPlacement(placement) }), ...options },
    imageDigests,
    certificates,
    doubts,
  };
}

/** What one cluster has where another may have something else, though either is as this version would have it. */
interface Fact {
  object: string;
  field: string;
  value: string | number | undefined;
}

interface Seen {
  context: string;
  inspection: Inspection;
}

function differencesBetween([first, ...others]: readonly Seen[]): Drift[] {
  if (first === undefined) return [];
  const wantedFacts = factsOf(first.inspection);
  return others.flatMap(({ context, inspection }) =>
    factsOf(inspection).flatMap(({ object, field, value: found }): Drift[] => {
      const fact = wantedFacts.find((each) => each.object === object && each.field === field);
      if (fact === undefined || fact.value === found) return [];
      const sides = {
        ...(found === undefined ? {} : { found }),
        ...(fact.value === undefined ? {} : { wanted: fact.value }),
      };
      return [{ context, object, field, ...sides, as: first.context }];
    }),
  );
}

/** Nothing of what is told, or not known: that is among the differences, or the doubts. */
function factsOf({ found, told, imageDigests, optional }: Inspection): Fact[] {
  const { placement, image, replicas } = found;
  const extension: Record<string, string | number | undefined> = {
    placement: told.placement === undefined && placement !== undefined ? formatPlacement(placement) : undefined,
    image: told.image === undefined ? image : undefined,
    replicas: told.replicas === undefined ? replicas : undefined,
    "image digest": imageDigests.length === 0 ? undefined : imageDigests.join(", "),
  };
  const known = Object.entries(extension).filter(([, value]) => value !== undefined);
  return [
    ...known.map(([field, value]) => ({ object: "the extension", field, value })),
    ...optional.map(({ wanted, live }) => {
      return { object: formatObject(wanted), field: "", value: live === undefined ? undefined : "is there" };
    }),
  ];
}
