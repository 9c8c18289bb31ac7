// Responses of HTTP/1.1 as they arrive in pieces, one at a time on a connection (RFC 9112 §2 to §7).
//
//   statusLine ─▶ fields ─┬─▶ fixed ─────────────────────────────────────┬─▶ done
//       ▲                 ├─▶ chunkSize ─▶ chunkData ─▶ chunkEnd ─┐      │
//       │                 │       ▲ └─ size 0 ─▶ trailers ────────│──────┤
//       │                 │       └───────────────────────────────┘      │
//       └── interim ──────┼────── HEAD, 204, 304 ────────────────────────┘
//                         └─▶ untilClose
//
// Hot code: lines are read where they lie, and only a line that a piece cuts is copied. The verdict depends on the bytes
// alone, not on where they are split: it is Malformed from the first wrong byte, or line, on.
//
// Where the RFC leaves a choice, read: lines of heads and trailers that end in a lone LF, folded lines, no space after
// the status code, space after the size of a chunk, any text as its extension, a length beside chunked (which wins).
// Refused: other codings than chunked, chunked in HTTP/1.0, sizes above 2^53 - 1, status codes above 599, long lines.

import {
  broken,
  colon,
  crlfStop,
  cut,
  hexDigit,
  isDigit,
  lineStop,
  semicolon,
  space,
  tab,
  textStop,
  tokenStop,
} from "./http-grammar.ts";
import { ResponseFraming } from "./response-framing.ts";

export const Progress = { NeedsMore: 0, Complete: 1, Malformed: 2 } as const;
export type Progress = (typeof Progress)[keyof typeof Progress];

const State = {
  StatusLine: 0,
  Fields: 1,
  Fixed: 2,
  ChunkSize: 3,
  ChunkData: 4,
  ChunkEnd: 5,
  Trailers: 6,
  UntilClose: 7,
  Done: 8,
  Broken: 9,
} as const;
type State = (typeof State)[keyof typeof State];

/** Of all heads and trailers of a response together, so that neither fields nor interim responses go on for ever. */
const fieldsLimitBytes = 64 * 1024;
/** Of each of their lines, with its folds: one that comes byte by byte is read anew with each. */
const lineLimitBytes = 16 * 1024;
const chunkLineLimitBytes = 4096;

const nothing = new Uint8Array(0);
const zero = 48;
/** How a response begins; each 0 is any digit. */
const statusLine = Buffer.from("HTTP/1.0 000");

export class ResponseParser {
  /** Of the response being read; 0 before its status line. */
  status = 0;
  /** Whether the connection may carry another request after this response. */
  keepAlive = true;
  #state: State = State.Done;
  #isHead = false;
  #isHttp10 = false;
  readonly #framing = new ResponseFraming();
  /** Bytes of the body or chunk still to come. */
  #restBytes = 0;
  /** Of the lines of heads and trailers so far. */
  #fieldsBytes = 0;
  /** Start of the line that the last piece cut; empty most of the time. */
  #cutLine: Uint8Array = nothing;

  /** Readies for the response to a request just sent; `isHead`: it was a HEAD. */
  begin(isHead: boolean): void {
    this.status = 0;
    this.keepAlive = true;
    this.#state = State.StatusLine;
    this.#isHead = isHead;
    this.#fieldsBytes = 0;
    this.#cutLine = nothing;
  }

  /** Takes the next piece. After Complete or Malformed the response is over; bytes beyond its end are Malformed. */
  feed(piece: Uint8Array): Progress {
    let bytes = piece;
    if (this.#cutLine.length > 0) {
      bytes = Buffer.concat([this.#cutLine, piece]);
      this.#cutLine = nothing;
    }
    let at = 0;
    while (at >= 0) {
      switch (this.#state) {
        case State.StatusLine:
          at = this.#readStatusLine(bytes, at);
          break;
        case State.Fields:
        case State.Trailers:
          at = this.#readFields(bytes, at);
          break;
        case State.Fixed:
          at = this.#skipData(bytes, at, State.Done);
          break;
        case State.ChunkSize:
          at = this.#readChunkSize(bytes, at);
          break;
        case State.ChunkData:
          at = this.#skipData(bytes, at, State.ChunkEnd);
          break;
        case State.ChunkEnd:
          at = this.#readChunkEnd(bytes, at);
          break;
        case State.UntilClose:
          return Progress.NeedsMore;
        case State.Done:
          if (at === bytes.length) return Progress.Complete;
          at = broken;
          break;
        case State.Broken:
          at = broken;
      }
    }
    if (at === cut) return Progress.NeedsMore;
    this.#state = State.Broken;
    return Progress.Malformed;
  }

  /** The connection has ended: whether that completes the response (a body that lasts until the close). */
  endsWithClose(): boolean {
    return this.#state === State.UntilClose;
  }

  // What reads returns the offset after it, `cut` or `broken`.

  #readStatusLine(bytes: Uint8Array, start: number): number {
    let at = start;
    for (let i = 0; i < statusLine.length; i++, at++) {
      if (at === bytes.length) return this.#cutFields(bytes, start, start);
      const byte = bytes[at]!;
      if (statusLine[i] === zero ? !isDigit(byte) : byte !== statusLine[i]) return broken;
    }
    const status = (bytes[at - 3]! - zero) * 100 + (bytes[at - 2]! - zero) * 10 + (bytes[at - 1]! - zero);
    if (status < 100 || status > 599 || status === 101) return broken; // 101: never asked for
    if (bytes[at] === space) at = textStop(bytes, at);
    const next = lineStop(bytes, at);
    if (next === broken) return broken;
    if (next === cut) return this.#cutFields(bytes, start, start);
    if (next - start > lineLimitBytes) return broken;
    this.status = status;
    this.#isHttp10 = bytes[start + 7] === zero; // a later minor version is read as 1.1 (RFC 9110 §2.5)
    this.#framing.clear();
    this.#fieldsBytes += next - start;
    this.#state = State.Fields;
    return next;
  }

  /** Field lines, and the empty one after them. */
  #readFields(bytes: Uint8Array, start: number): number {
    let line = start;
    while (true) {
      const nameStop = tokenStop(bytes, line);
      let at = nameStop;
      if (nameStop === line && bytes[at] !== colon) return this.#endFields(bytes, start, line);
      if (at === bytes.length) return this.#cutFields(bytes, start, line);
      if (nameStop === line || bytes[at] !== colon) return broken;
      let valueStop: number;
      do {
        valueStop = textStop(bytes, at + 1);
        at = lineStop(bytes, valueStop);
        if (at === broken) return broken;
        if (at === cut || at === bytes.length) return this.#cutFields(bytes, start, line); // the next may be its fold
      } while (bytes[at] === space || bytes[at] === tab);
      if (at - line > lineLimitBytes) return broken;
      // Trailers have no say in the framing (RFC 9110 §6.5.1).
      if (this.#state === State.Fields && !this.#framing.readField(bytes, line, nameStop, valueStop)) return broken;
      line = at;
    }
  }

  #endFields(bytes: Uint8Array, start: number, line: number): number {
    const next = lineStop(bytes, line);
    if (next === broken) return broken;
    if (next === cut) return this.#cutFields(bytes, start, line);
    this.#fieldsBytes += next - start;
    if (this.#fieldsBytes > fieldsLimitBytes) return broken;
    this.#state = this.#stateAfterFields();
    return next;
  }

  /** RFC 9112 §6.3, in its order. */
  #stateAfterFields(): State {
    if (this.#state === State.Trailers) return State.Done;
    if (this.status < 200) return State.StatusLine; // interim: the final response follows
    const { isChunked, contentLength, saysClose, saysKeepAlive } = this.#framing;
    if (isChunked && this.#isHttp10) return State.Broken; // RFC 9112 §6.1
    this.keepAlive = !saysClose && (!this.#isHttp10 || saysKeepAlive);
    if (this.#isHead || this.status === 204 || this.status === 304) return State.Done;
    if (isChunked) return State.ChunkSize;
    if (contentLength >= 0) {
      this.#restBytes = contentLength;
      return State.Fixed;
    }
    this.keepAlive = false;
    return State.UntilClose;
  }

  #readChunkSize(bytes: Uint8Array, start: number): number {
    let sizeBytes = 0;
    let at = start;
    for (; at < bytes.length; at++) {
      const digit = hexDigit(bytes[at]!);
      if (digit < 0) break;
      sizeBytes = sizeBytes * 16 + digit;
      if (sizeBytes > Number.MAX_SAFE_INTEGER) return broken;
    }
    if (at === start && at < bytes.length) return broken;
    while (bytes[at] === space || bytes[at] === tab) at++;
    if (bytes[at] === semicolon) at = textStop(bytes, at);
    const next = crlfStop(bytes, at);
    if (next === cut) return this.#keepLine(bytes, start, chunkLineLimitBytes);
    if (next === broken || next - start > chunkLineLimitBytes) return broken;
    this.#restBytes = sizeBytes;
    this.#state = sizeBytes === 0 ? State.Trailers : State.ChunkData;
    return next;
  }

  #readChunkEnd(bytes: Uint8Array, start: number): number {
    const next = crlfStop(bytes, start);
    if (next === cut) return this.#keepLine(bytes, start, chunkLineLimitBytes);
    if (next !== broken) this.#state = State.ChunkSize;
    return next;
  }

  #skipData(bytes: Uint8Array, start: number, after: State): number {
    const skippedBytes = Math.min(this.#restBytes, bytes.length - start);
    this.#restBytes -= skippedBytes;
    if (this.#restBytes > 0) return cut;
    this.#state = after;
    return start + skippedBytes;
  }

  #cutFields(bytes: Uint8Array, start: number, line: number): number {
    this.#fieldsBytes += line - start;
    return this.#keepLine(bytes, line, Math.min(lineLimitBytes, fieldsLimitBytes - this.#fieldsBytes));
  }

  /** Keeps the beginning of a line, in a copy, as the piece belongs to the socket. */
  #keepLine(bytes: Uint8Array, line: number, limitBytes: number): number {
    if (bytes.length - line > limitBytes) return broken;
    if (bytes.length > line) this.#cutLine = Uint8Array.prototype.slice.call(bytes, line);
    return cut;
  }
}
