// Acting as someone else (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation).
import type { User } from "./kubeconfig-file.ts";

/** The Impersonate headers of a user. Throws for what one header of each name cannot say: fetch would join them. */
export function impersonationHeaders(user: User): Record<string, string> {
  const groups = user["as-groups"] ?? [];
  if (groups.length > 1) throw new Error(`it has ${groups.length} as-groups, must be at most one`);
  if (user["as-user-extra"] !== undefined) throw new Error("it has as-user-extra, must be absent");
  if (!user.as) {
    if (groups.length > 0 || user["as-uid"]) throw new Error("it has as-groups or as-uid alone, must have as, too");
    return {};
  }
  const headers: Record<string, string> = { "Impersonate-User": user.as };
  if (groups[0] !== undefined) headers["Impersonate-Group"] = groups[0];
  if (user["as-uid"]) headers["Impersonate-Uid"] = user["as-uid"];
  return headers;
}
