// What the head of a request must be, before a byte of its body is read. The parser has refused already what could be
// read in two ways (RFC 9112 §6.3); the rest of what would be is here.
import type { IncomingMessage } from "node:http";
import { type Refusal, show } from "./refusal.ts";

/** Of the request line and all fields. */
export const headMaxBytes = 16 * 1024;

/** Of one body: objects have 3 MiB at most, and a review holds the old one and the new one. */
export const bodyMaxBytes = 7 * 1024 * 1024;

/** What is wrong with the message as HTTP. */
export function messageRefusal(request: IncomingMessage): Refusal | undefined {
  const { httpVersionMajor, httpVersionMinor, rawHeaders, headers } = request;
  if (httpVersionMajor !== 1) {
    return refusal(505, "version", `it is HTTP/${httpVersionMajor}.${httpVersionMinor}, must be HTTP/1.1`);
  }
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host").length;
  if (hosts > 1 || (hosts === 0 && httpVersionMinor > 0)) {
    return refusal(400, "malformed", `it has ${hosts} Host fields, must have one`);
  }
  const coding = headers["transfer-encoding"] ?? "chunked";
  if (coding.toLowerCase() === "chunked") return undefined;
  return refusal(501, "encoding", `its Transfer-Encoding is ${show(coding)}, must be chunked`);
}

/** The path of a request target, without the query, which carries the API server's timeout. */
export function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*$/s, "");
}

/** What is wrong with a request that is to carry a review. */
export function reviewHeadRefusal({ method = "", headers }: IncomingMessage): Refusal | undefined {
  if (method !== "POST")
    return { ...refusal(405, "method", `it is ${method}, must be POST`), headers: { Allow: "POST" } };
  const type = headers["content-type"] ?? "";
  if (!/^application\/json[ \t]*(;|$)/i.test(type)) {
    return refusal(415, "contentType", `its Content-Type is ${show(type)}, must be application/json`);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    return refusal(415, "encoding", `its Content-Encoding is ${show(encoding)}, must be identity`);
  }
  return Number(headers["content-length"] ?? 0) > bodyMaxBytes ? tooLarge() : undefined;
}

/** What the parser refuses, by its error code (llhttp's names). */
export function malformed(code: string): Refusal {
  if (code === "HPE_HEADER_OVERFLOW") {
    return refusal(431, "malformed", `its head is too large, must be of ${headMaxBytes} bytes at most`);
  }
  return refusal(400, "malformed", `it is malformed (${code}), must be HTTP/1.1`);
}

export function unmetExpectation({ headers }: IncomingMessage): Refusal {
  return refusal(417, "expectation", `it expects ${show(headers.expect ?? "")}, must be 100-continue`);
}

export function tooLarge(): Refusal {
  return refusal(413, "tooLarge", `its body is too large, must be of ${bodyMaxBytes} bytes at most`);
}

export function refusal(status: number, reason: string, problem: string): Refusal {
  return { status, reason, message: `Cannot review the request: ${problem}` };
}
