// What the caller may do with certificate requests and their signers.
import { callerMay } from "../kube/access-review.ts";
import type { KubeClient } from "../kube/client.ts";

/** A right on a resource of certificates.k8s.io. */
export interface Right {
  verb: string;
  resource: string;
  subresource?: string;
  /** It is enough to have the right on one of them; absent: on the whole resource. */
  names?: readonly string[];
}

export function formatRight({ verb, resource, subresource, names }: Right): string {
  const [name] = names ?? [];
  return `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}${name === undefined ? "" : ` "${name}"`}`;
}

/** Those of the rights that the caller does not have. */
export async function missingRights(client: KubeClient, rights: readonly Right[]): Promise<Right[]> {
  const allowed = await Promise.all(rights.map((right) => isAllowed(client, right)));
  return rights.filter((_, index) => !allowed[index]);
}

async function isAllowed(client: KubeClient, { names = [""], ...right }: Right): Promise<boolean> {
  const group = "certificates.k8s.io";
  const answers = await Promise.all(names.map((name) => callerMay(client, { group, ...right, name })));
  return answers.includes(true);
}
