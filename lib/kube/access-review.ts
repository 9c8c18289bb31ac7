// Who may do what, in the API server's own words: its authorizers are asked by reviews, which nobody stores
// (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access).
import type { UserInfo } from "../loadtest/admission-review.ts";
import type { KubeObject } from "../plan/objects.ts";
import type { CallOptions, KubeClient } from "./client.ts";
import type { Resource } from "./resource.ts";

/** One verb on one resource, as authorizers know it. */
export interface Access {
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource?: string;
  /** Absent: the whole cluster. */
  readonly namespace?: string;
  /** Absent: any of them. */
  readonly name?: string;
}

interface AccessReview extends KubeObject {
  spec: object;
  status?: { allowed?: boolean };
}

function reviews(kind: string): Resource<AccessReview> {
  return { group: "authorization.k8s.io", version: "v1", plural: `${kind.toLowerCase()}s`, kind, namespaced: false };
}

const subjectReviews = reviews("SubjectAccessReview");
const selfReviews = reviews("SelfSubjectAccessReview");

/** Whether the caller may. */
export function callerMay(client: KubeClient, access: Access, options?: CallOptions): Promise<boolean> {
  return ask(client, selfReviews, { resourceAttributes: access }, options);
}

/** Whether somebody else may, with all groups and attributes that are given of him or her. */
export function userMay(client: KubeClient, user: UserInfo, access: Access, options?: CallOptions): Promise<boolean> {
  const { username, ...rest } = user;
  return ask(client, subjectReviews, { user: username, ...rest, resourceAttributes: access }, options);
}

async function ask(client: KubeClient, resource: Resource<AccessReview>, spec: object, options: CallOptions = {}) {
  const apiVersion = `${resource.group}/${resource.version}`;
  const review: AccessReview = { apiVersion, kind: resource.kind, metadata: { name: "" }, spec }; // a review has no name
  const { status } = await client.create(resource, review, options);
  return status?.allowed === true;
}
