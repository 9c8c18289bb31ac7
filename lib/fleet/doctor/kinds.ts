// The kinds: known to the API server, of the schema of this binary, and stored in versions that there still are.
import { isDeepStrictEqual } from "node:util";
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import { customResourceDefinitions, type Resource } from "../../kube/resource.ts";
import { canaryResource } from "../../manifest/canary-resource.ts";
import { loadTestResource } from "../../manifest/load-test-resource.ts";
import { loadTestResultResource } from "../../manifest/load-test-result-resource.ts";
import type { Condition } from "../../plan/objects.ts";
import type { Kind } from "./resources.ts";

const remedy = "loadtest install";
/** What each condition of a kind in order is. */
const wanted: Readonly<Record<string, string>> = { Established: "True", NamesAccepted: "True" };
const unwanted = ["NonStructuralSchema", "Terminating", "KubernetesAPIApprovalPolicyConformant"];

export interface KindsLook {
  findings: readonly Finding[];
  /** Whether the API server serves all of them. */
  areServed: boolean;
}

export async function examineKinds(client: KubeClient): Promise<KindsLook> {
  const desired = [loadTestResource(), canaryResource(), loadTestResultResource()] as unknown as Kind[];
  const found = await Promise.all(
    desired.map(({ metadata }) => find(client, customResourceDefinitions as Resource<Kind>, { name: metadata.name })),
  );
  return {
    findings: desired.map((kind, index) => judgeKind(kind, found[index])),
    areServed: found.every((kind) => conditionOf(kind, "Established")?.status === "True"),
  };
}

function conditionOf(kind: Kind | undefined, type: string): Condition | undefined {
  return kind?.status?.conditions?.find((each) => each.type === type);
}

export function judgeKind(desired: Kind, found: Kind | undefined): Finding {
  const subject = `kind ${desired.metadata.name}`;
  if (found === undefined) return failure(subject, "there is none", remedy);
  const { conditions = [], storedVersions = [] } = found.status ?? {};
  for (const [type, status] of Object.entries(wanted)) {
    const condition = conditionOf(found, type);
    if (condition?.status === status) continue;
    const words = condition?.message || "the API server has not said so";
    return failure(subject, `it is not ${type}: ${words}`, "wait a moment; if it stays so, do what the message says");
  }
  const bad = conditions.find(({ type, status }) => unwanted.includes(type) && isBad(type, status));
  if (bad !== undefined) {
    return failure(subject, `${bad.type}: ${bad.message ?? bad.reason ?? ""}`, "see what the message names");
  }
  const versions = desired.spec.versions.map(({ name }) => name);
  const old = storedVersions.filter((version) => !versions.includes(version));
  if (old.length > 0) {
    const message = `objects may be stored in version ${old.join(", ")}, which this binary does not know`;
    return failure(subject, message, "write every object again, then take the version out of status.storedVersions");
  }
  const place = differenceOf(contentOf(desired), contentOf(found), "spec");
  if (place !== undefined) {
    return warning(
      subject,
      `another than this binary's: ${place} differs`,
      `${remedy}, or use the binary of its version`,
    );
  }
  return ok(subject, `established, stored as ${storedVersions.join(", ")}, the schema is this binary's`);
}

/** The policy speaks of kinds of Kubernetes' own groups alone, where False is bad. */
function isBad(type: string, status: string): boolean {
  return status === (type === "KubernetesAPIApprovalPolicyConformant" ? "False" : "True");
}

/** What of a kind is ours to say: the API server fills in the rest. */
function contentOf({ spec: { group, scope, names, versions } }: Kind): unknown {
  return withoutEmpty({ group, scope, names, versions });
}

/** The API server leaves out what is empty. */
function withoutEmpty(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) => (Array.isArray(each) && each.length === 0 ? undefined : each));
}

/** The first place where two values differ; undefined when they are equal. */
export function differenceOf(wanted: unknown, found: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(wanted, found)) return undefined;
  if (!isNested(wanted) || !isNested(found)) return path;
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
    const below = Array.isArray(wanted) ? `${path}[${name}]` : `${path}.${name}`;
    const place = differenceOf(wanted[name], found[name], below);
    if (place !== undefined) return place;
  }
  return path;
}

function isNested(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
