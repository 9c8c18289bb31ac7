// Why something that is being deleted is still there: who holds it, in its own words.
import type { KubeObject } from "../plan/objects.ts";
import { conditionsOf } from "./readiness.ts";
import { formatObject } from "./resources.ts";

/** Conditions of namespaces and kinds that are true while something holds them. */
const holding = [
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionContentFailure",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
  "Terminating",
];
const shown = 3;

/** `Namespace x remains: …`; the first few of many. */
export function remainsOf(objects: readonly KubeObject[]): string {
  const words = objects.slice(0, shown).map((object) => {
    const why = holderOf(object);
    return `${formatObject(object)}${why === undefined ? "" : ` (${why})`}`;
  });
  const more = objects.length > shown ? ` and ${objects.length - shown} more` : "";
  return `${words.join(", ")}${more} ${objects.length === 1 ? "remains" : "remain"}`;
}

function holderOf(object: KubeObject): string | undefined {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  const held = conditionsOf(object).filter(({ type, status }) => status === "True" && holding.includes(type));
  if (held.length > 0) return held.map(({ message }) => message).join("; ");
  if (deletionTimestamp === undefined) return undefined;
  const { deletionGracePeriodSeconds = 0 } = object.metadata as { deletionGracePeriodSeconds?: number };
  const askedAtMs = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000; // it stands for the end of the grace
  const since = `being deleted since ${new Date(askedAtMs).toISOString().replace(".000Z", "Z")}`;
  return finalizers.length === 0 ? since : `${since}, held by the finalizer ${finalizers.join(", ")}`;
}
