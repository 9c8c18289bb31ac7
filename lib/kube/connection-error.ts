// No usable answer from the API server: what stood in the way, in words that name the server.

export type ConnectionFailure =
  | "refused"
  | "reset"
  | "timeout"
  | "dns"
  | "tlsChain"
  | "tlsName"
  | "tlsHandshake"
  /** An answer, but not one of an API server. */
  | "malformed"
  | "other";

export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly failure: ConnectionFailure;
  /** Whether the server may have carried out the write that was asked for; false for reads. */
  readonly ambiguous: boolean;

  constructor(message: string, failure: ConnectionFailure, ambiguous: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.failure = failure;
    this.ambiguous = ambiguous;
  }
}

/** What is so and what must be, for each failure. */
const explanations: Record<ConnectionFailure, string> = {
  refused: "the connection was refused, must be the address of a running API server",
  reset: "the server closed the connection without a whole answer",
  timeout: "no answer in time",
  dns: "the host name does not resolve, must be a name that this machine's DNS knows",
  tlsChain: "its certificate is not trusted, must be issued by the configured certificate authority and in date",
  tlsName: "its certificate is for another name, must be for the URL's host or the configured tls-server-name",
  tlsHandshake: "the TLS handshake failed, must speak TLS on this port and accept the client certificate",
  malformed: "the answer is not JSON, must come from an API server",
  other: "the call failed",
};

/** The failures before a request is sent; after all others a write may have happened. */
const beforeSending: readonly ConnectionFailure[] = ["refused", "dns", "tlsChain", "tlsName", "tlsHandshake"];

/** The error for a call (`GET /version`) to `serverUrl` that failed in this way. */
export function connectionError(
  call: { method: string; path: string },
  serverUrl: string,
  failure: ConnectionFailure,
  cause?: unknown,
): ConnectionError {
  return new ConnectionError(
    `Cannot ${call.method} ${call.path} at "${serverUrl}": ${explanations[failure]}`,
    failure,
    call.method !== "GET" && !beforeSending.includes(failure),
    cause,
  );
}

/** Tells what an error of Bun's fetch means. */
export function failureOf(error: unknown): ConnectionFailure {
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "refused";
  if (code === "ECONNRESET" || code === "ConnectionClosed" || code === "EPIPE") return "reset";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "dns";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "tlsName";
  if (/CERT|ISSUER|LEAF_SIGNATURE|INVALID_(CA|PURPOSE)|PATH_LENGTH/.test(code)) return "tlsChain";
  if (code === "EPROTO") return "tlsHandshake";
  return "other";
}
