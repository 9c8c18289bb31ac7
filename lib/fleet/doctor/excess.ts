// Rights of the controller's account beyond those that it needs: roles that somebody has bound to it as well.
import { type Finding, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName } from "../../manifest/names.ts";
import { homeOf } from "../installation.ts";
import { clusterRoleBindings, clusterRoles, type Role, type RoleBinding, roleBindings, roles } from "../resources.ts";
import { accountOf, neededAccesses } from "./rights.ts";
import { several } from "./words.ts";

/** A role that is bound to the account; the role is undefined where there is none. */
export interface Grant {
  /** `ClusterRoleBinding loadtest`. */
  by: string;
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
      return { by: `${kind} ${metadata.name}`, role };
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
  const needed = new Set(
    neededAccesses(placement).map(({ verb, group, resource, subresource }) =>
      key(verb, group, subresource === undefined ? resource : `${resource}/${subresource}`),
    ),
  );
  const found = grants.flatMap(({ by, role }) => {
    const excess = rightsOf(role).filter((right) => !needed.has(right));
    return excess.length === 0 ? [] : [`${by} grants ${several([...new Set(excess)].map(inWords))}`];
  });
  if (found.length === 0) return ok(subject, "none");
  return warning(subject, found.join("; "), "delete the binding, unless somebody else runs under this account");
}

function rightsOf(role: Role | undefined): string[] {
  return (role?.rules ?? []).flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => key(verb, group, resource)))),
  );
}

function inWords(right: string): string {
  return right === "* *.*" ? "everything" : right;
}

function key(verb: string, group: string, path: string): string {
  const [resource, ...subresource] = path.split("/");
  return `${verb} ${[group === "" ? resource : `${resource}.${group}`, ...subresource].join("/")}`;
}
