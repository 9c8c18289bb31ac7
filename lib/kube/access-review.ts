// Who may do what, in the API server's own words: its authorizers are asked by reviews, which nobody stores
// (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access).
import type { UserInfo } from "../loadtest/admission-review.ts";
import type { KubeObject } from "../plan/objects.ts";
import type { CallOptions, KubeClient } from "./client.ts";
import { clusterResource, namespacedResource, type Resource } from "./resource.ts";

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

const group = "authorization.k8s.io";
const subjectReviews = clusterResource<AccessReview>(group, "SubjectAccessReview");
const localReviews = namespacedResource<AccessReview>(group, "LocalSubjectAccessReview");
const selfReviews = clusterResource<AccessReview>(group, "SelfSubjectAccessReview");

/** Whether the caller may. */
export function callerMay(client: KubeClient, access: Access, options?: CallOptions): Promise<boolean> {
  return ask(client, selfReviews, { resourceAttributes: access }, options);
}

/** Whether somebody else may, with all groups and attributes that are given of him or her. */
export function userMay(client: KubeClient, user: UserInfo, access: Access, options?: CallOptions): Promise<boolean> {
  return ask(client, subjectReviews, { ...subjectOf(user), resourceAttributes: access }, options);
}

/** The same, asked by somebody who may ask about the namespace of the access alone. */
export function userMayHere(client: KubeClient, user: UserInfo, access: Access & { namespace: string }) {
  return ask(client, localReviews, { ...subjectOf(user), resourceAttributes: access }, {}, access.namespace);
}

function subjectOf({ username, ...rest }: UserInfo): object {
  return { user: username, ...rest };
}

async function ask(
  client: KubeClient,
  resource: Resource<AccessReview>,
  spec: object,
  options: CallOptions = {},
  namespace?: string,
) {
  const apiVersion = `${resource.group}/${resource.version}`;
  const metadata = { name: "", ...(namespace === undefined ? {} : { namespace }) }; // a review has no name
  const review: AccessReview = { apiVersion, kind: resource.kind, metadata, spec };
  const { status } = await client.create(resource, review, options);
  return status?.allowed === true;
}
