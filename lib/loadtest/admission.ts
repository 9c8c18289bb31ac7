// Whether an object may be stored, and what is filled in before: request → response. Nothing is kept, nothing is
// written, so a dry run is a run like any other.
import { isDeepStrictEqual } from "node:util";
import { compare } from "fast-json-patch";
import type { AdmissionRequest, AdmissionResponse } from "./admission-review.ts";
import { apiGroup } from "./api-group.ts";
import { withDefaults } from "./defaulting.ts";
import { type FieldError, formatFieldError } from "./field-error.ts";
import { type Kind, kindNamed } from "./kind.ts";
import { judgeSecrets, type MayGetSecret, secretsToGet } from "./secret-access.ts";

/** Nobody reads more, and an answer must not be larger than its question. */
const errorsShown = 100;

/** A promise comes from who has to ask somebody first. */
export type Judge = (request: AdmissionRequest) => AdmissionResponse | Promise<AdmissionResponse>;

/**
 * Names every wrong field, and warns of risky values. What is not a new spec of one of our kinds passes: deletions,
 * what only touches metadata or status, and objects on their way out, whose finalizers must not be held up.
 */
export function judgeObject(request: AdmissionRequest): AdmissionResponse {
  return judge(request).response;
}

/** The same, and refuses Secrets that the user may not get. Nothing is asked about objects that name none. */
export function judgeWithSecrets(mayGetSecret: MayGetSecret): Judge {
  return (request) => {
    const { response, loadTest } = judge(request);
    const secrets = loadTest === undefined ? [] : secretsToGet({ ...request, object: loadTest });
    if (secrets.length === 0) return response;
    return judgeSecrets(request, secrets, mayGetSecret).then((access) => (access.allowed ? response : access));
  };
}

/** The verdict and, of a LoadTest whose new spec is well-formed, how the API server reads it. */
function judge(request: AdmissionRequest): { response: AdmissionResponse; loadTest?: unknown } {
  const kind = ourKind(request);
  if (kind === undefined || !isNewSpec(request)) return { response: { allowed: true } };
  const { object, errors, warnings } = kind.judge(request.object);
  const ours = errors.filter(isOurs);
  if (ours.length > 0) return { response: denial(kind, object, ours) };
  const response = { allowed: true, ...(warnings.length === 0 ? {} : { warnings }) };
  return kind.kind === "LoadTest" ? { response, loadTest: object } : { response };
}

/** Fills in what the object leaves out, as a JSON patch (RFC 6902) that touches nothing else. Refuses nothing. */
export function fillIn(request: AdmissionRequest): AdmissionResponse {
  const { object, oldObject } = request;
  if (ourKind(request)?.kind !== "LoadTest" || !isNewSpec(request) || !isObject(object)) return { allowed: true };
  const patch = compare(object, withDefaults(object, isObject(oldObject) ? oldObject : undefined));
  if (patch.length === 0) return { allowed: true };
  return { allowed: true, patchType: "JSONPatch", patch: btoa(JSON.stringify(patch)) };
}

function ourKind({ kind, subResource = "" }: AdmissionRequest): Kind | undefined {
  if (kind.group !== apiGroup || subResource !== "") return undefined;
  return kindNamed(kind.kind, `${kind.group}/${kind.version}`);
}

function isNewSpec({ operation, object, oldObject }: AdmissionRequest): boolean {
  if (operation === "CREATE") return true;
  if (operation !== "UPDATE") return false;
  const { metadata, spec } = (object ?? {}) as { metadata?: { deletionTimestamp?: unknown } | null; spec?: unknown };
  const before = ((oldObject ?? {}) as { spec?: unknown }).spec;
  return (metadata?.deletionTimestamp ?? undefined) === undefined && !isDeepStrictEqual(spec, before);
}

/** The API server has judged the metadata itself, and may know more fields of it than we. */
function isOurs({ field, rule }: FieldError): boolean {
  return rule !== "unknown field" || !field.startsWith("metadata.");
}

function denial({ kind }: Kind, object: unknown, errors: readonly FieldError[]): AdmissionResponse {
  const { name, generateName } =
    (object as { metadata?: { name?: unknown; generateName?: unknown } | null })?.metadata ?? {};
  const called = name ?? generateName;
  const shown = errors.slice(0, errorsShown);
  const words = shown.map(formatFieldError);
  if (errors.length > errorsShown) words.push(`and ${errors.length - errorsShown} fields more`);
  return {
    allowed: false,
    status: {
      code: 422,
      reason: "Invalid",
      message: `${kind}${typeof called === "string" ? ` "${called}"` : ""} is not well-formed: ${words.join("; ")}`,
      details: {
        causes: shown.map((error) => ({
          reason: error.rule === "required" ? "FieldValueRequired" : "FieldValueInvalid",
          field: error.field,
          message: formatFieldError(error),
        })),
      },
    },
  };
}

function isObject(value: unknown): value is { spec?: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
