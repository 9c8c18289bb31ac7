// Who names a Secret in a LoadTest must be allowed to read it: workers get what stands in it, and send it to whatever
// the LoadTest aims at.
import { isDeepStrictEqual } from "node:util";
import type { AdmissionRequest, AdmissionResponse, UserInfo } from "./admission-review.ts";
import type { LoadTestSpec } from "./load-test.ts";
import { mountedKeys } from "./value-source.ts";

/** Whether a user may get the Secret of this name; rejects when that cannot be found out, in words for people. */
export type MayGetSecret = (user: UserInfo, secret: { namespace: string; name: string }) => Promise<boolean>;

/** What decides which Secrets are read and where they go: the user of an update that leaves it alone is not asked. */
const decisive = ["service", "canary", "scheme", "port", "requests", "tls", "podTemplate"] as const;

/** Names of the Secrets that the author of this new spec, which is well-formed, must be allowed to get. */
export function secretsToGet({ operation, object, oldObject }: AdmissionRequest): string[] {
  const spec = specOf(object);
  const before = operation === "UPDATE" ? specOf(oldObject) : {};
  if (decisive.every((field) => isDeepStrictEqual(spec[field], before[field]))) return [];
  const mounted = mountedKeys(spec).filter(({ kind }) => kind === "Secret");
  const names = [...mounted, ...(spec.podTemplate?.imagePullSecrets ?? [])].map(({ name }) => name);
  return [...new Set(names)].toSorted();
}

/** The answer to a request that names these Secrets, none of which may be got without leave. */
export async function judgeSecrets(
  { object, namespace = "", userInfo }: AdmissionRequest,
  names: readonly string[],
  mayGetSecret: MayGetSecret,
): Promise<AdmissionResponse> {
  const loadTest = `LoadTest "${nameOf(object)}"`;
  const named = (secrets: readonly string[]) => `Secret ${secrets.map((name) => `"${name}"`).join(", ")}`;
  if (userInfo === undefined || namespace === "") {
    const message = `Cannot use ${named(names)} in ${loadTest}: the request says no user or namespace, must say both`;
    return { allowed: false, status: { code: 400, reason: "BadRequest", message } };
  }
  try {
    const answers = await Promise.all(names.map((name) => mayGetSecret(userInfo, { namespace, name })));
    const refused = names.filter((_, index) => answers[index] !== true);
    if (refused.length === 0) return { allowed: true };
    const message = `Cannot use ${named(refused)} in ${loadTest}: user "${userInfo.username}" may not get it in namespace "${namespace}", must be allowed the verb get on it`;
    return { allowed: false, status: { code: 403, reason: "Forbidden", message } };
  } catch (error: unknown) {
    const message = `Cannot find out whether user "${userInfo.username}" may get ${named(names)} of ${loadTest}: ${(error as Error).message}`;
    return { allowed: false, status: { code: 503, reason: "ServiceUnavailable", message } };
  }
}

function specOf(object: unknown): Partial<LoadTestSpec> {
  return (object as { spec?: LoadTestSpec } | null)?.spec ?? {};
}

function nameOf(object: unknown): string {
  const { name, generateName } =
    (object as { metadata?: { name?: string; generateName?: string } | null }).metadata ?? {};
  return name ?? generateName ?? "";
}
