// Responses as bytes, in every way that RFC 9112 §6 lets a server frame them. No Date field: RFC 9110 §6.6.1 asks it
// only of servers with a clock, and it would have to be rewritten each second.
import { STATUS_CODES } from "node:http";

/** What the head of a request deserves. */
export const Status = {
  Ok: 200,
  BadRequest: 400,
  LengthRequired: 411,
  HeadTooLarge: 431,
  VersionNotSupported: 505,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What becomes of the connection: kept without a word (HTTP/1.1), kept with one (HTTP/1.0 asks for it), or closed. */
export const Persistence = { Kept: 0, KeptAloud: 1, Closed: 2 } as const;
export type Persistence = (typeof Persistence)[keyof typeof Persistence];

/**
 * | framing            | the body ends                                        | the connection |
 * | ------------------ | ---------------------------------------------------- | -------------- |
 * | length             | after Content-Length bytes                           | kept           |
 * | chunked            | with the last chunk                                  | kept           |
 * | chunked-extensions | the same; sizes have extensions and leading zeros    | kept           |
 * | trailers           | the same, and fields follow it                       | kept           |
 * | close              | where the connection does                            | closed         |
 * | http10             | after Content-Length bytes, by an HTTP/1.0 server    | closed         |
 * | http10-keep-alive  | the same, and it agrees to keep the connection       | kept           |
 * | interim            | as with length; 100 and 103 come before the response | kept           |
 */
export const framings = [
  "length",
  "chunked",
  "chunked-extensions",
  "trailers",
  "close",
  "http10",
  "http10-keep-alive",
  "interim",
] as const;
export type Framing = (typeof framings)[number];

export interface ResponseForm {
  code: number;
  /** Must suit the request: see `needsHttp11`. */
  framing: Framing;
  /** Answers HEAD: the head of the response alone. */
  isHead: boolean;
  persistence: Persistence;
  body: Uint8Array;
  /** Further fields, each with its line end. */
  fields?: string;
}

export interface EncodedResponse {
  bytes: Uint8Array;
  /** Bytes before the body, those of interim responses among them. */
  headBytes: number;
}

const interimResponses =
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n";
/** Sizes of chunks, in turn: about the places where the number of digits changes. */
const chunkBytes = [1, 15, 16, 255, 256, 4095, 65_536];

/** Whether an HTTP/1.0 client would not understand it (RFC 9112 §6.1, RFC 9110 §15.2). */
export function needsHttp11(framing: Framing): boolean {
  return isChunked(framing) || framing === "interim";
}

/** Whether the connection ends with the response. */
export function endsConnection(framing: Framing, persistence: Persistence): boolean {
  return persistence === Persistence.Closed || framing === "close" || framing === "http10";
}

export function encodeResponse(form: ResponseForm): EncodedResponse {
  const { code, framing, isHead, persistence, body, fields = "" } = form;
  const version = framing === "http10" || framing === "http10-keep-alive" ? "1.0" : "1.1";
  const statusLine = `HTTP/${version} ${code} ${STATUS_CODES[code] ?? ""}\r\n`;
  const framingFields = framingFieldsOf(framing, body.length) + connectionField(framing, persistence);
  const head = Buffer.from(
    `${framing === "interim" ? interimResponses : ""}${statusLine}Content-Type: text/plain\r\n${fields}${framingFields}\r\n`,
  );
  const bytes = isHead ? head : Buffer.concat([head, ...(isChunked(framing) ? chunksOf(body, framing) : [body])]);
  return { bytes, headBytes: head.length };
}

/** Asks the client to go on with the body that it announced (RFC 9110 §10.1.1). */
export const continueResponse: Uint8Array = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");

function isChunked(framing: Framing): boolean {
  return framing === "chunked" || framing === "chunked-extensions" || framing === "trailers";
}

function framingFieldsOf(framing: Framing, bodyBytes: number): string {
  if (framing === "close") return "";
  if (!isChunked(framing)) return `Content-Length: ${bodyBytes}\r\n`;
  return `Transfer-Encoding: chunked\r\n${framing === "trailers" ? "Trailer: X-Chunks, X-Complete\r\n" : ""}`;
}

/** HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 closes it. */
function connectionField(framing: Framing, persistence: Persistence): string {
  if (framing === "http10") return "";
  if (framing === "http10-keep-alive") {
    return persistence === Persistence.Closed ? "" : "Connection: keep-alive\r\n";
  }
  if (endsConnection(framing, persistence)) return "Connection: close\r\n";
  return persistence === Persistence.KeptAloud ? "Connection: keep-alive\r\n" : "";
}

/** The body as chunks (RFC 9112 §7.1), as pieces to be joined. */
function chunksOf(body: Uint8Array, framing: Framing): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const add = (text: string) => pieces.push(Buffer.from(text));
  const hasExtensions = framing === "chunked-extensions";
  let chunks = 0;
  for (let at = 0; at < body.length; chunks++) {
    const chunk = body.subarray(at, at + chunkBytes[chunks % chunkBytes.length]!);
    const size = chunk.length.toString(16);
    add(hasExtensions ? `00${size.toUpperCase()};n=${chunks} ; quoted="a \\"b\\"; c"\r\n` : `${size}\r\n`);
    pieces.push(chunk);
    add("\r\n");
    at += chunk.length;
  }
  add(hasExtensions ? "0;last\r\n" : "0\r\n");
  add(framing === "trailers" ? `X-Chunks: ${chunks}\r\nX-Complete: yes\r\n\r\n` : "\r\n");
  return pieces;
}
