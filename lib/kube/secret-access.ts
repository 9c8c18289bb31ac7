// Whether somebody may get a Secret, for the admission of LoadTests that name one.
import type { MayGetSecret } from "../loadtest/secret-access.ts";
import { userMay } from "./access-review.ts";
import type { KubeClient } from "./client.ts";

/** Less than the API server waits for an admission webhook. */
const timeoutMs = 2000;

/** Asks the cluster's authorizers, about the user with all groups and attributes that the API server knows. */
export function secretAccess(client: KubeClient): MayGetSecret {
  return (user, { namespace, name }) => {
    const signal = AbortSignal.timeout(timeoutMs); // retries included
    const access = { namespace, verb: "get", group: "", version: "v1", resource: "secrets", name };
    return userMay(client, user, access, { timeoutMs, signal });
  };
}
