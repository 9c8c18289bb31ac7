// The rights that roles grant, one by one, and the roles without one of them.

export interface Role {
  apiVersion: string;
  kind: "Role" | "ClusterRole";
  metadata: { name: string; namespace?: string };
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
}

/** One verb on one resource: `list loadtests.beta.kuar.com`, `get secrets`, `patch services/status`. */
export type Right = string;

export function rightsOf({ rules }: Role): Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => formatRight(verb, resource, group))),
    ),
  );
}

/** The role without the right, in whichever of its rules that stands. */
export function withoutRight(role: Role, right: Right): Role {
  const rules = role.rules.flatMap(({ apiGroups, resources, verbs, ...names }) =>
    apiGroups.flatMap((group) =>
      resources.map((resource) => ({
        ...names,
        apiGroups: [group],
        resources: [resource],
        verbs: verbs.filter((verb) => formatRight(verb, resource, group) !== right),
      })),
    ),
  );
  return { ...role, rules: rules.filter(({ verbs }) => verbs.length > 0) };
}

/** The rights that the API server has refused, by the words that it gives for it. */
export function refusedIn(text: string): Right[] {
  return [...text.matchAll(/cannot (\w+) resource \\?"([^"\\]+)\\?" in API group \\?"([^"\\]*)\\?"/g)].map(
    ([, verb = "", resource = "", group = ""]) => formatRight(verb, resource, group),
  );
}

function formatRight(verb: string, resource: string, group: string): Right {
  const [plural, ...subresource] = resource.split("/");
  return `${verb} ${[group === "" ? plural : `${plural}.${group}`, ...subresource].join("/")}`;
}
