// Whether somebody may get a Secret, in the API server's own words: SubjectAccessReviews
// (https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/).
import type { UserInfo } from "../loadtest/admission-review.ts";
import type { MayGetSecret } from "../loadtest/secret-access.ts";
import type { KubeObject } from "../plan/objects.ts";
import type { KubeClient } from "./client.ts";
import type { Resource } from "./resource.ts";

/** Less than the API server waits for an admission webhook. */
const timeoutMs = 2000;

interface AccessReview extends KubeObject {
  spec: { user: string; uid?: string; groups?: string[]; extra?: UserInfo["extra"]; resourceAttributes: object };
  status?: { allowed?: boolean };
}

const accessReviews: Resource<AccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "subjectaccessreviews",
  kind: "SubjectAccessReview",
  namespaced: false,
};

/** Asks the cluster's authorizers, about the user with all groups and attributes that the API server knows. */
export function secretAccess(client: KubeClient): MayGetSecret {
  return async ({ username, ...rest }, { namespace, name }) => {
    const review: AccessReview = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      metadata: { name: "" }, // a review has no name
      spec: {
        user: username,
        ...rest,
        resourceAttributes: { namespace, verb: "get", group: "", version: "v1", resource: "secrets", name },
      },
    };
    const signal = AbortSignal.timeout(timeoutMs); // retries included
    const { status } = await client.create(accessReviews, review, { timeoutMs, signal });
    return status?.allowed === true;
  };
}
