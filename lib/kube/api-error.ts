// The API server said no. What it said is in a Status object
// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/); where a proxy or a web server
// answered in its place, the code alone tells.

/** A field at fault, as `details.causes` of a Status names it. */
export interface StatusCause {
  field?: string;
  reason?: string;
  message?: string;
}

interface Status {
  kind?: string;
  reason?: string;
  message?: string;
  details?: { causes?: StatusCause[]; retryAfterSeconds?: number };
}

/** A refusal as it came over the wire. */
export interface Refusal {
  method: string;
  path: string;
  code: number;
  body: string;
  /** The header; absent or not a number of seconds: null. */
  retryAfter: string | null;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly code: number;
  /** NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, TooManyRequests, …; empty when unknown. */
  readonly reason: string;
  /** The server's own words. */
  readonly said: string;
  readonly causes: readonly StatusCause[];
  readonly retryAfterSeconds: number | undefined;
  /** Whether the server may have carried out the write that was asked for; false for reads. */
  readonly ambiguous: boolean;

  constructor({ method, path, code, body, retryAfter }: Refusal) {
    const status = parseStatus(body);
    const reason = status?.reason || (reasons[code] ?? "");
    const said = status?.message ?? excerpt(body);
    super(`Cannot ${method} "${path}": ${code} ${reason}: ${said}`);
    this.said = said;
    this.code = code;
    this.reason = reason;
    this.causes = status?.details?.causes ?? [];
    this.retryAfterSeconds = parseSeconds(retryAfter) ?? status?.details?.retryAfterSeconds;
    this.ambiguous = method !== "GET" && (code === 500 || code === 502 || code === 504);
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 404;
}

/** A create met an object of the same name, maybe its own from an earlier attempt. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.reason === "AlreadyExists";
}

/** The object is not the one that was read: another resourceVersion or uid. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 409 && error.reason !== "AlreadyExists";
}

export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 403;
}

export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 422;
}

/** The resourceVersion or continue token is too old: list again. */
export function isExpired(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 410;
}

/** What a code means where no Status says it. */
const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

function parseStatus(body: string): Status | undefined {
  try {
    const status: Status | null = JSON.parse(body);
    return status?.kind === "Status" ? status : undefined;
  } catch {
    return undefined; // not of an API server: the caller shows the text
  }
}

function parseSeconds(header: string | null): number | undefined {
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

function excerpt(body: string): string {
  const text = body.replace(/\s+/g, " ").trim();
  if (text === "") return "no message";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
