// Rights of the controller's account beyond those that it needs: by roles that somebody has bound to it as well, or made
// wider than they were.
import { type Finding, ok, warning } from "../../cert/finding.ts";
import type { Access } from "../../kube/access-review.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName } from "../../manifest/names.ts";
import { homeOf } from "../installation.ts";
import { clusterRoleBindings, clusterRoles, type Role, type RoleBinding, roleBindings, roles } from "../resources.ts";
import { accessesOf } from "../rights.ts";
import { accountOf, formatAccess, neededAccesses } from "./rights.ts";
import { installAgain, several } from "./words.ts";

/** A role that is bound to the account; the role is undefined where there is none. */
export interface Grant {
  /** `ClusterRoleBinding loadtest`. */
  by: string;
  /** Of the binding. */
  name: string;
  role: Role | undefined;
}

export async function examineExcess(client: KubeClient, placement: Placement): Promise<Finding[]> {
  const home = homeOf(placement);
  const [wide, narrow] = await Promise.all([
    client.list(clusterRoleBindings),
    client.list(roleBindings, { namespace: home }),
  ]);
  const bound = [...wide.items, ...narrow.items].filter((binding) => isBound(binding, home));
  const grants = await Promise.all(
    bound.map(async ({ kind, metadata, roleRef }): Promise<Grant> => {
      const role =
        roleRef.kind === "ClusterRole"
          ? await find(client, clusterRoles, { name: roleRef.name })
          : await find(client, roles, { namespace: home, name: roleRef.name });
      return { by: `${kind} ${metadata.name}`, name: metadata.name, role };
    }),
  );
  return [judgeExcess(placement, grants)];
}

/** Whether the binding is of the account, or of accounts as such; everybody's is everybody's. */
export function isBound({ subjects = [] }: RoleBinding, home: string): boolean {
  const groups = accountOf(home).groups?.filter((group) => group.startsWith("system:serviceaccounts")) ?? [];
  return subjects.some(({ kind, name, namespace }) =>
    kind === "ServiceAccount" ? name === extensionName && namespace === home : groups.includes(name),
  );
}

export function judgeExcess(placement: Placement, grants: readonly Grant[]): Finding {
  const subject = `rights in excess of ${homeOf(placement)}/${extensionName}`;
  const needed = new Set(neededAccesses(placement).map(formatAccess));
  const isNeeded = ({ name, ...onAny }: Access) =>
    needed.has(formatAccess(onAny)) || (name !== undefined && needed.has(formatAccess({ ...onAny, name })));
  const excessive = grants
    .map((grant) => ({ ...grant, excess: rightsOf(grant.role).filter((right) => !isNeeded(right)) }))
    .filter(({ excess }) => excess.length > 0);
  if (excessive.length === 0) return ok(subject, "none");
  const said = excessive.map(({ by, excess }) => `${by} grants ${several([...new Set(excess.map(inWords))])}`);
  const remedies = excessive.map(({ name }) =>
    name === extensionName
      ? installAgain(placement)
      : "delete the binding, unless somebody else runs under this account",
  );
  return warning(subject, said.join("; "), [...new Set(remedies)].join("; "));
}

/** Paths that are no resources are passed over. */
function rightsOf(role: Role | undefined): Access[] {
  const rules = role?.rules ?? [];
  return accessesOf(rules.map(({ apiGroups = [], resources = [], ...rule }) => ({ ...rule, apiGroups, resources })));
}

function inWords(right: Access): string {
  const { verb, group, resource } = right;
  return [verb, group, resource].every((part) => part === "*") ? "everything" : formatAccess(right);
}
