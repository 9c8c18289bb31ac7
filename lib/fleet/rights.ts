// What somebody must be allowed to do before anything is begun, and how it is said in one go.
import { type Access, callerMay } from "../kube/access-review.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ObjectKey, Resource } from "../kube/resource.ts";
import type { PolicyRule } from "../manifest/rights.ts";
import type { KubeObject } from "../plan/objects.ts";
import { formatObject, keyOf, resourceOf } from "./resources.ts";

const everything: Access = { verb: "*", group: "*", resource: "*" };

/** A right on all objects of a resource, or on the one of this name. */
export function access(
  verb: string,
  { group, plural }: Resource,
  { namespace, name }: Partial<ObjectKey> = {},
): Access {
  return {
    verb,
    group,
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** A right on the object; one to create it cannot be limited to its name. */
export function accessTo(verb: string, object: KubeObject): Access {
  const { namespace, name } = keyOf(object);
  return access(verb, resourceOf(object), {
    ...(namespace === undefined ? {} : { namespace }),
    ...(verb === "create" ? {} : { name }),
  });
}

/** Those that the caller lacks, each once. Who may do everything is asked no more than that. */
export async function missingAccess(client: KubeClient, wanted: readonly Access[]): Promise<Access[]> {
  if (wanted.length === 0 || (await callerMay(client, everything))) return [];
  const distinct = [...new Map(wanted.map((one) => [JSON.stringify(one), one])).values()];
  const answers = await Promise.all(distinct.map((one) => callerMay(client, one)));
  return distinct.filter((_, index) => !answers[index]);
}

/** As people write them, those on the same resource together: `get, patch deployments.apps "loadtest" in loadtest-system`. */
export function formatAccesses(accesses: readonly Access[]): string[] {
  const where = ({ resource, subresource, group, namespace, name }: Access) =>
    [resource, subresource, group, namespace, name === undefined].join("/");
  return [...Map.groupBy(accesses, where).values()].map((together) => {
    const verbs = new Set(together.map(({ verb }) => verb));
    const names = new Set(together.flatMap(({ name }) => (name === undefined ? [] : [`"${name}"`])));
    return formatAccess({ ...(together[0] as Access), verb: [...verbs].join(", ") }, [...names].join(", "));
  });
}

function formatAccess({ verb, group, resource, subresource, namespace }: Access, names: string): string {
  const what = `${resource}${subresource === undefined ? "" : `/${subresource}`}${group === "" ? "" : `.${group}`}`;
  return `${verb} ${what}${names === "" ? "" : ` ${names}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

/**
 * What keeps the caller from granting what a role holds, or from binding to it: nobody gives away more than he has, unless
 * he may escalate and bind (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).
 */
export async function missingToGrant(client: KubeClient, role: KubeObject): Promise<string[]> {
  const special = await missingAccess(client, [accessTo("escalate", role), accessTo("bind", role)]);
  if (special.length === 0) return [];
  const { rules } = role as KubeObject & { rules: readonly PolicyRule[] };
  const missing = await missingAccess(client, accessesOf(rules, role.metadata.namespace));
  if (missing.length === 0) return [];
  return [`escalate and bind ${formatObject(role)}, or all that it grants: ${formatAccesses(missing).join("; ")}`];
}

/** Rights that roles grant, one by one. */
export function accessesOf(rules: readonly PolicyRule[], namespace?: string): Access[] {
  const scope = namespace === undefined ? {} : { namespace };
  return rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = "", subresource] = path.split("/");
        const what = { group, resource, ...(subresource === undefined ? {} : { subresource }), ...scope };
        return resourceNames.flatMap((name) =>
          verbs.map((verb) => ({ verb, ...what, ...(name === undefined ? {} : { name }) })),
        );
      }),
    ),
  );
}

/** Throws what is missing, all of it. */
export function requireRights(what: string, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const count = missing.length === 1 ? "a right is missing" : `${missing.length} rights are missing`;
  throw new Error(`${what}: ${count}, must be granted to you:\n${missing.map((line) => `  ${line}`).join("\n")}`);
}
