// HTTP/1.1 requests as bytes, made once before the run (RFC 9112 §3).

export interface Origin {
  scheme: "http" | "https";
  /** Host name or IP address; IPv6 without brackets. */
  host: string;
  port: number;
}

/** The bytes of `GET path` to `origin`. */
export function encodeRequest(origin: Origin, path: string): Uint8Array {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${hostHeader(origin)}\r\nUser-Agent: loadtest\r\n\r\n`, "latin1");
}

/** `host`, or `host:port` where the port is not the scheme's own. */
export function hostHeader({ scheme, host, port }: Origin): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === (scheme === "https" ? 443 : 80) ? name : `${name}:${port}`;
}
