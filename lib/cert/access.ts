// What the caller may do, in the API server's own words: SelfSubjectAccessReviews
// (https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/).
import type { KubeClient } from "../kube/client.ts";
import type { Resource } from "../kube/resource.ts";
import type { KubeObject } from "../plan/objects.ts";

interface AccessReview extends KubeObject {
  spec: { resourceAttributes: object };
  status?: { allowed: boolean };
}

const accessReviews: Resource<AccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "selfsubjectaccessreviews",
  kind: "SelfSubjectAccessReview",
  namespaced: false,
};

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
  const reviews = await Promise.all(
    names.map((name) =>
      client.create(accessReviews, {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        metadata: { name: "" }, // a review has no name
        spec: { resourceAttributes: { group: "certificates.k8s.io", ...right, name } },
      }),
    ),
  );
  return reviews.some(({ status }) => status?.allowed === true);
}
