// HTTP/1.1 requests as bytes, made once before the run (RFC 9112 §3, RFC 9110).

export interface Origin {
  scheme: "http" | "https";
  /** Host name or IP address; IPv6 without brackets. */
  host: string;
  port: number;
}

export interface Header {
  name: string;
  value: string;
}

export interface Request {
  method: string;
  /** Request target in origin form, query included. */
  path: string;
  headers: readonly Header[];
  body: Uint8Array;
}

export const methodPattern = "^(?!CONNECT$)[A-Z]{1,16}$";
export const headerNamePattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";
export const headerValuePattern = "^[\\t -~]*$";

/** Fields that say how the message is framed or would change the protocol: they are the driver's own. */
const ownFields = ["content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade"];
/** Methods whose requests carry a length even without a body (RFC 9110 §8.6). */
const bodyMethods = ["POST", "PUT", "PATCH"];

/** What keeps a header from being sent as it is; undefined: nothing. */
export function headerProblem({ name, value }: Header): string | undefined {
  if (!new RegExp(headerNamePattern).test(name)) return "the name must be a token of at most 128 characters";
  if (ownFields.includes(name.toLowerCase())) return "the field is the driver's own, and must be left out";
  if (!new RegExp(headerValuePattern).test(value)) return "the value must be printable ASCII characters";
  return undefined;
}

/** The bytes of a request to `origin`. `Host` and `User-Agent` are added where they are not given. */
export function encodeRequest(origin: Origin, request: Request): Uint8Array {
  const { method, path, headers, body } = request;
  const given = new Set(headers.map(({ name }) => name.toLowerCase()));
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(given.has("host") ? [] : [`Host: ${hostHeader(origin)}`]),
    ...(given.has("user-agent") ? [] : ["User-Agent: loadtest"]),
    ...headers.map(({ name, value }) => `${name}: ${value}`),
    ...(body.length > 0 || bodyMethods.includes(method) ? [`Content-Length: ${body.length}`] : []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
}

/** `host`, or `host:port` where the port is not the scheme's own. */
export function hostHeader({ scheme, host, port }: Origin): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}
