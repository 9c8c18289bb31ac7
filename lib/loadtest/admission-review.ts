// The envelope of admission: AdmissionReview of admission.k8s.io/v1
// (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).

export const reviewApiVersion = "admission.k8s.io/v1";

/** What the API server asks about, as far as it matters here. */
export interface AdmissionRequest {
  uid: string;
  kind: { group: string; version: string; kind: string };
  operation: string;
  /** `status`, `scale`, …; absent or empty for the object itself. */
  subResource?: string;
  /** Absent for cluster-scoped objects. */
  namespace?: string;
  /** Who asks for it. */
  userInfo?: UserInfo;
  /** As it would be stored; null for deletions. */
  object?: unknown;
  /** As it is stored; null for creations. */
  oldObject?: unknown;
}

/** A user as the API server's authenticators know him or her. */
export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export interface AdmissionResponse {
  allowed: boolean;
  /** Why not. */
  status?: { code: number; reason: string; message: string; details?: object };
  warnings?: string[];
  patchType?: "JSONPatch";
  /** A JSON patch in base64. */
  patch?: string;
}

export interface AdmissionReview {
  apiVersion: typeof reviewApiVersion;
  kind: "AdmissionReview";
  response: AdmissionResponse & { uid: string };
}

/** A request, or what is wrong with the review and, where that could be read, its uid. */
export type ReadReview = { request: AdmissionRequest } | { problem: string; uid: string | undefined };

/** Reads what was decoded from JSON; of the objects in it nothing is assumed. */
export function readReview(review: unknown): ReadReview {
  if (!isRecord(review)) return { problem: `it is ${typeOf(review)}, must be an AdmissionReview`, uid: undefined };
  const { apiVersion, kind, request } = review;
  const uid =
    isRecord(request) && typeof request["uid"] === "string" && request["uid"] !== "" ? request["uid"] : undefined;
  if (apiVersion !== reviewApiVersion || kind !== "AdmissionReview") {
    return {
      problem: `it is ${show(kind)} of ${show(apiVersion)}, must be AdmissionReview of ${reviewApiVersion}`,
      uid,
    };
  }
  if (!isRecord(request)) return { problem: "its request is missing, must be an object", uid };
  if (uid === undefined) return { problem: "its request.uid is missing, must be a string", uid };
  const { operation, subResource, namespace, userInfo, object, oldObject } = request;
  const type = request["kind"];
  if (!isRecord(type) || !["group", "version", "kind"].every((name) => typeof type[name] === "string")) {
    return { problem: "its request.kind is missing, must have group, version and kind", uid };
  }
  if (typeof operation !== "string") return { problem: "its request.operation is missing, must be a string", uid };
  return {
    request: {
      uid,
      kind: type as AdmissionRequest["kind"],
      operation,
      ...(typeof subResource === "string" ? { subResource } : {}),
      ...(typeof namespace === "string" ? { namespace } : {}),
      ...(isUserInfo(userInfo) ? { userInfo } : {}),
      object,
      oldObject,
    },
  };
}

export function reviewResponse(uid: string, response: AdmissionResponse): AdmissionReview {
  return { apiVersion: reviewApiVersion, kind: "AdmissionReview", response: { uid, ...response } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What else is said of the user is the API server's to read again. */
function isUserInfo(value: unknown): value is UserInfo {
  return isRecord(value) && typeof value["username"] === "string" && value["username"] !== "";
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : "without one";
}
