// How the API server says no, in its own codes, reasons and words.
import { ApiError } from "../../lib/kube/api-error.ts";
import type { Resource } from "../../lib/kube/resource.ts";

/** The verb as HTTP has it: reads are never ambiguous. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Call {
  readonly method: Method;
  readonly path: string;
}

interface Cause {
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

export function refuse(call: Call, code: number, reason: string, message: string, causes: readonly Cause[] = []) {
  const body = JSON.stringify({ kind: "Status", reason, message, details: { causes } });
  return new ApiError({ ...call, code, body, retryAfter: code === 429 ? "1" : null });
}

/** `pods "a"`, `loadtests.beta.kuar.com "a"`. */
function subject({ plural, group }: Resource, name: string): string {
  return `${plural}${group === "" ? "" : `.${group}`} "${name}"`;
}

export function notFound(call: Call, resource: Resource, name: string): ApiError {
  return refuse(call, 404, "NotFound", `${subject(resource, name)} not found`);
}

export function alreadyExists(call: Call, resource: Resource, name: string): ApiError {
  return refuse(call, 409, "AlreadyExists", `${subject(resource, name)} already exists`);
}

export function conflict(call: Call, resource: Resource, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${subject(resource, name)}: ${why}`;
  return refuse(call, 409, "Conflict", message);
}

export function invalid(call: Call, resource: Resource, name: string, field: string, why: string): ApiError {
  const message = `${resource.kind} "${name}" is invalid: ${field}: ${why}`;
  return refuse(call, 422, "Invalid", message, [{ field, reason: "FieldValueInvalid", message: why }]);
}

export function badRequest(call: Call, why: string): ApiError {
  return refuse(call, 400, "BadRequest", why);
}

export function expired(call: Call): ApiError {
  return refuse(call, 410, "Expired", "The resourceVersion for the provided watch is too old.");
}
