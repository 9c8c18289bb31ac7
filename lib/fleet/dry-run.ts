// What the API server would make of an object if it were replaced by what is wanted: with its defaults, and without all
// that others have added, which the dry run of an apply would leave as it is. Nothing is changed.
import { ApiError, isConflict, isInvalid } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { findObject } from "./apply.ts";
import { contentOf } from "./content.ts";
import { differencesOf, type FieldDifference } from "./field-difference.ts";
import { resourceOf } from "./resources.ts";

export interface Examined {
  wanted: KubeObject;
  /** Absent: there is none. */
  live?: Observed<KubeObject>;
  /** The object as it would be; absent where there is none, or where the server would not say. */
  replacement?: KubeObject;
  differences: FieldDifference[];
  /** Why more may differ than is known. */
  doubt?: string;
}

/** Their controllers fill them, several times a minute: only what we say ourselves is compared. */
const filledKinds = new Set(["Secret", "Lease"]);
const attempts = 5;

/** Rejects with ConnectionError; what the API server refuses to say is a doubt. */
export async function examine(client: KubeClient, wanted: KubeObject): Promise<Examined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await examineOnce(client, wanted);
    } catch (error: unknown) {
      if (isConflict(error) && attempt < attempts) continue; // somebody has written since it was read
      if (error instanceof ApiError) return { wanted, differences: [], doubt: error.message };
      throw error;
    }
  }
}

async function examineOnce(client: KubeClient, wanted: KubeObject): Promise<Examined> {
  const live = await findObject(client, wanted);
  if (live === undefined) return { wanted, differences: differencesOf(undefined, contentOf(wanted, wanted)) };
  if (filledKinds.has(wanted.kind)) return { wanted, live, differences: knownDifferences(live, wanted) };
  const { resourceVersion } = live.metadata;
  const written = { ...wanted, metadata: { ...wanted.metadata, resourceVersion } };
  try {
    const replacement = await client.replace(resourceOf(wanted), written, { dryRun: true });
    const differences = differencesOf(contentOf(live, wanted), contentOf(replacement, wanted));
    return { wanted, live, replacement, differences };
  } catch (error: unknown) {
    if (!(error instanceof ApiError) || isConflict(error)) throw error;
    const examined = { wanted, live, differences: knownDifferences(live, wanted) };
    const { message: doubt } = error;
    // A field that cannot be changed is refused, and is among what is known to differ.
    return isInvalid(error) && examined.differences.length > 0 ? examined : { ...examined, doubt };
  }
}

/** Without the server's help: what is found beside what is wanted may be its defaults. */
function knownDifferences(live: KubeObject, wanted: KubeObject): FieldDifference[] {
  return differencesOf(contentOf(live, wanted), contentOf(wanted, wanted), "wanted");
}
