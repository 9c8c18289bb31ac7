// An installation tried out before anything is changed: what would become of each object, and all that stands in the way.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { unsafeChanges } from "../manifest/crd-upgrade.ts";
import type { KubeObject } from "../plan/objects.ts";
import { type Applied, applyObject } from "./apply.ts";
import { formatObject } from "./resources.ts";
import type { Surveyed } from "./survey.ts";

export interface RehearsalOptions {
  /** Takes fields that others have set. */
  force: boolean;
  /** Replaces kinds whatever that does to what is stored. */
  acceptsBreakingKinds: boolean;
}

/** What would become of an object, or why that cannot be told yet. */
export type Rehearsed = { object: KubeObject } & (
  | { outcome: "created" | "changed" | "unchanged" }
  | { outcome: "untried"; reason: string }
);

/** An object that another one needs; what is not served at all is said in other words. */
const missingObject = /"[^"]+" not found/;

/** Throws when something stands in the way, and names all of it. */
export async function rehearse(
  client: KubeClient,
  surveyed: readonly Surveyed[],
  options: RehearsalOptions,
): Promise<Rehearsed[]> {
  const absent = new Set(
    surveyed
      .filter(({ wanted, live }) => wanted.kind === "Namespace" && live === undefined)
      .map(({ wanted }) => wanted.metadata.name),
  );
  const results = await Promise.all(
    surveyed.map(({ wanted }) => {
      const { namespace } = wanted.metadata;
      if (namespace === undefined || !absent.has(namespace)) return attempt(client, wanted, options);
      return untried(wanted, `its namespace ${namespace} is not there yet`);
    }),
  );
  const problems = results.filter((result) => typeof result === "string");
  if (problems.length > 0) throw new Error(`Cannot install, and nothing has been changed:\n${problems.join("\n")}`);
  return results.filter((result) => typeof result !== "string");
}

/** A string says what stands in the way. */
async function attempt(client: KubeClient, object: KubeObject, options: RehearsalOptions): Promise<Rehearsed | string> {
  try {
    const applied = await applyObject(client, object, { dryRun: true, force: options.force });
    const problem = problemOf(object, applied, options);
    return problem ?? { object, outcome: applied.outcome as Exclude<Applied["outcome"], "conflict"> };
  } catch (error: unknown) {
    if (isNotFound(error) && missingObject.test(error.said)) return untried(object, error.said);
    if (isNotFound(error)) return `  ${formatObject(object)}: ${object.apiVersion} is not served here, must be`;
    return `  ${formatObject(object)}: ${(error as Error).message}`;
  }
}

function untried(object: KubeObject, reason: string): Rehearsed {
  return { object, outcome: "untried", reason };
}

function problemOf(
  object: KubeObject,
  applied: Applied,
  { acceptsBreakingKinds }: RehearsalOptions,
): string | undefined {
  if (applied.outcome === "conflict") {
    const lines = applied.conflicts.map(({ field, manager }) => `    ${field} is set by ${manager}`);
    return [`  ${formatObject(object)} has fields of others (--force-conflicts takes them):`, ...lines].join("\n");
  }
  if (object.kind !== "CustomResourceDefinition" || applied.outcome !== "changed" || acceptsBreakingKinds)
    return undefined;
  const unsafe = unsafeChanges(applied.before, applied.after);
  if (unsafe.length === 0) return undefined;
  const lines = unsafe.map(({ path, reason }) => `    ${path} ${reason}`);
  return [
    `  ${formatObject(object)} would break objects or clients (--accept-breaking-kinds does it nevertheless):`,
    ...lines,
  ].join("\n");
}
