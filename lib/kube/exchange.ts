// One request to the API server and its whole answer, with credentials renewed once when the server rejects them.
// Redirects are not followed: they would carry the credentials elsewhere.
import { ApiError } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { connectionError, failureOf } from "./connection-error.ts";
import type { Credentials } from "./credentials.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** Empty, or from its question mark on. */
  readonly query?: string;
  readonly body?: string;
  readonly contentType?: string;
}

export interface ExchangeOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The body of the answer. Rejects with ApiError, ConnectionError, or the reason of the caller's signal. */
export async function exchange(
  connection: Connection,
  request: ApiRequest,
  options: ExchangeOptions,
): Promise<Uint8Array> {
  const credentials = await connection.credentials.current();
  let answer = await attempt(connection, credentials, request, options);
  if (answer.code === 401) {
    const replacement = await connection.credentials.replacementFor(credentials);
    if (replacement !== credentials) answer = await attempt(connection, replacement, request, options);
  }
  if (answer.code >= 200 && answer.code < 300) return answer.body;
  throw new ApiError({
    method: request.method,
    path: request.path,
    code: answer.code,
    body: new TextDecoder().decode(answer.body),
    retryAfter: answer.retryAfter,
  });
}

interface Answer {
  code: number;
  retryAfter: string | null;
  body: Uint8Array;
}

async function attempt(
  connection: Connection,
  credentials: Credentials,
  request: ApiRequest,
  { timeoutMs, signal }: ExchangeOptions,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(connection.serverUrl + request.path + (request.query ?? ""), {
      method: request.method,
      headers: headersOf(request, credentials),
      tls: credentials.tls,
      redirect: "manual",
      // On a kept-alive connection that closes early, Bun by itself sends PUT and DELETE again.
      keepalive: request.method !== "PUT" && request.method !== "DELETE",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(connection.proxyUrl === undefined ? {} : { proxy: connection.proxyUrl }),
    });
    return {
      code: response.status,
      retryAfter: response.headers.get("Retry-After"),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  } catch (error: unknown) {
    signal?.throwIfAborted();
    throw connectionError(request, connection.serverUrl, timeout.aborted ? "timeout" : failureOf(error), error);
  }
}

function headersOf(request: ApiRequest, credentials: Credentials): Record<string, string> {
  const headers: Record<string, string> = {
    ...credentials.headers,
    Accept: "application/json",
    "User-Agent": "loadtest", // also the field manager of writes that name none
  };
  if (request.contentType !== undefined) headers["Content-Type"] = request.contentType;
  return headers;
}
