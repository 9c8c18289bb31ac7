// One request to the API server and its whole answer, with credentials renewed once when the server rejects them.
// Redirects are not followed: they would carry the credentials elsewhere.
import { ApiError, type Refusal } from "./api-error.ts";
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
  readonly onHeaders?: (headers: Headers) => void;
}

/** The body of the answer. Rejects with ApiError, ConnectionError, or the reason of the caller's signal. */
export function exchange(connection: Connection, request: ApiRequest, options: ExchangeOptions): Promise<Uint8Array> {
  return ask(connection, request, options, async (response) => new Uint8Array(await response.arrayBuffer()));
}

/**
 * The body of the answer as it comes; the timeout is for its beginning. Rejects as `exchange` does; once it has begun, the
 * stream breaks off with the error of the connection, or with the reason of the caller's signal.
 */
export function openStream(
  connection: Connection,
  request: ApiRequest,
  options: ExchangeOptions,
): Promise<ReadableStream<Uint8Array>> {
  return ask(connection, request, options, async ({ body }) => body ?? new Blob([]).stream());
}

async function ask<T>(
  connection: Connection,
  request: ApiRequest,
  options: ExchangeOptions,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const credentials = await connection.credentials.current();
  let answer = await attempt(connection, credentials, request, options, read);
  if ("code" in answer && answer.code === 401) {
    const replacement = await connection.credentials.replacementFor(credentials);
    if (replacement !== credentials) answer = await attempt(connection, replacement, request, options, read);
  }
  if ("code" in answer) throw new ApiError(answer);
  return answer.value;
}

async function attempt<T>(
  connection: Connection,
  credentials: Credentials,
  request: ApiRequest,
  { timeoutMs, signal, onHeaders }: ExchangeOptions,
  read: (response: Response) => Promise<T>,
): Promise<{ value: T } | Refusal> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    const response = await fetch(connection.serverUrl + request.path + (request.query ?? ""), {
      method: request.method,
      headers: headersOf(request, credentials),
      tls: credentials.tls,
      redirect: "manual",
      // On a kept-alive connection that closes early, Bun by itself sends PUT and DELETE again.
      keepalive: request.method !== "PUT" && request.method !== "DELETE",
      signal: signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(connection.proxyUrl === undefined ? {} : { proxy: connection.proxyUrl }),
    });
    onHeaders?.(response.headers);
    if (response.ok) return { value: await read(response) };
    const { method, path } = request;
    return {
      method,
      path,
      code: response.status,
      body: await response.text(),
      retryAfter: response.headers.get("Retry-After"),
    };
  } catch (error: unknown) {
    signal?.throwIfAborted();
    const failure = deadline.signal.aborted ? "timeout" : failureOf(error);
    throw connectionError(request, connection.serverUrl, failure, error);
  } finally {
    clearTimeout(timer);
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
