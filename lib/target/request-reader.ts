// Reads the requests of one connection from its bytes (RFC 9112), however they are split over chunks. Hot code: no
// strings and, unless a head is split, no allocation. A head is parsed only once its end is there.
//
//     readHead ──head complete, status Ok──▶ skipBody until bodyBytesLeft is 0 ──▶ readHead …
//         └────head complete, any other status: answer it, close, and read no more
import {
  colon,
  cr,
  isDigit,
  isName,
  lf,
  memberStart,
  memberStop,
  space,
  tab,
  tokenStop,
} from "../load/http-grammar.ts";
import { Persistence, Status } from "./response.ts";

/** The longest head that is read; a longer one is answered 431. */
export const maxHeadBytes = 65_536;

const dot = 46;
const zero = 48;
const one = 49;
const question = 63;

/** The largest Content-Length, in digits, that a number holds exactly. */
const maxLengthDigits = 15;

const headMethod = Buffer.from("HEAD");
const httpName = Buffer.from("HTTP/");
const hostField = Buffer.from("host");
const expectField = Buffer.from("expect");
const connectionField = Buffer.from("connection");
const contentLengthField = Buffer.from("content-length");
const transferEncodingField = Buffer.from("transfer-encoding");
const closeToken = Buffer.from("close");
const keepAliveToken = Buffer.from("keep-alive");
const continueToken = Buffer.from("100-continue");

export class RequestReader {
  /** Whether the last `readHead` met the end of a head; the fields below describe that request. */
  isComplete = false;
  status: Status = Status.Ok;
  isHead = false;
  isHttp10 = false;
  persistence: Persistence = Persistence.Kept;
  expectsContinue = false;
  /** Bytes of the body still to come. */
  bodyBytesLeft = 0;
  /** The path, without the query: `pathBytes[pathStart, pathEnd)`, valid until the next call; FNV-1a hash. */
  pathBytes: Uint8Array = new Uint8Array(0);
  pathStart = 0;
  pathEnd = 0;
  pathHash = 0;

  /** The digits of the HTTP version, as bytes. */
  #major = 0;
  #minor = 0;
  #hostFields = 0;
  #contentLength = -1;
  #hasTransferEncoding = false;
  #saysClose = false;
  #saysKeepAlive = false;
  /** The beginning of a head whose end has not come yet. */
  #carry = new Uint8Array(0);
  #carryBytes = 0;

  /** Reads a head on from `chunk[from]`; returns the offset after the bytes it used. */
  readHead(chunk: Uint8Array, from: number): number {
    this.isComplete = false;
    if (this.#carryBytes > 0) return this.#readSplitHead(chunk, from);
    let start = from;
    while (chunk[start] === cr || chunk[start] === lf) start++; // empty lines before a request (RFC 9112 §2.2)
    const end = headEnd(chunk, start + 1, Math.min(chunk.length, start + maxHeadBytes));
    if (end < 0) return this.#readSplitHead(chunk, start);
    this.#parse(chunk, start, end);
    return end;
  }

  /** Skips body bytes from `chunk[from]` on; returns the offset after them. */
  skipBody(chunk: Uint8Array, from: number): number {
    const skipped = Math.min(this.bodyBytesLeft, chunk.length - from);
    this.bodyBytesLeft -= skipped;
    return from + skipped;
  }

  #readSplitHead(chunk: Uint8Array, from: number): number {
    const before = this.#carryBytes;
    const taken = Math.min(chunk.length - from, maxHeadBytes - before);
    if (before + taken > this.#carry.length) {
      const grown = new Uint8Array(Math.min(maxHeadBytes, Math.max(1024, 2 * (before + taken))));
      grown.set(this.#carry.subarray(0, before));
      this.#carry = grown;
    }
    this.#carry.set(chunk.subarray(from, from + taken), before);
    this.#carryBytes += taken;
    const end = headEnd(this.#carry, Math.max(1, before), this.#carryBytes);
    if (end >= 0) {
      this.#carryBytes = 0;
      this.#parse(this.#carry, 0, end);
      return from + end - before;
    }
    if (this.#carryBytes === maxHeadBytes) this.#refuse(Status.HeadTooLarge);
    return from + taken;
  }

  /** Parses the whole head `bytes[start, end)`. Its last bytes are line ends, which stop every inner loop in time. */
  #parse(bytes: Uint8Array, start: number, end: number): void {
    this.isComplete = true;
    this.status = this.#parseHead(bytes, start, end);
    if (this.status !== Status.Ok) this.#refuse(this.status);
  }

  #parseHead(bytes: Uint8Array, start: number, end: number): Status {
    const fieldsAt = this.#parseRequestLine(bytes, start);
    if (fieldsAt < 0 || !this.#parseFields(bytes, fieldsAt, end)) return Status.BadRequest;
    if (this.#major !== one) return Status.VersionNotSupported;
    this.isHttp10 = this.#minor === zero;
    if (this.#hostFields > 1 || (this.#hostFields === 0 && !this.isHttp10)) return Status.BadRequest;
    if (this.#hasTransferEncoding) return Status.LengthRequired; // allowed by RFC 9110 §15.5.12
    this.bodyBytesLeft = Math.max(0, this.#contentLength);
    if (this.#saysClose) this.persistence = Persistence.Closed;
    else if (!this.isHttp10) this.persistence = Persistence.Kept;
    else this.persistence = this.#saysKeepAlive ? Persistence.KeptAloud : Persistence.Closed;
    if (this.isHttp10) this.expectsContinue = false; // HTTP/1.0 knows no 100 (RFC 9110 §10.1.1)
    return Status.Ok;
  }

  #refuse(status: Status): void {
    this.isComplete = true;
    this.status = status;
    this.isHead = false;
    this.expectsContinue = false;
    this.persistence = Persistence.Closed;
  }

  /** Returns the offset of the first field, or -1 when malformed. */
  #parseRequestLine(bytes: Uint8Array, start: number): number {
    let at = tokenStop(bytes, start);
    if (at === start || bytes[at] !== space) return -1;
    this.isHead = equals(bytes, start, at, headMethod);

    this.pathBytes = bytes;
    this.pathStart = ++at;
    let hash = 0x811c9dc5;
    let byte = bytes[at]!;
    while (byte > space && byte < 127 && byte !== question) {
      hash = Math.imul(hash ^ byte, 0x01000193);
      byte = bytes[++at]!;
    }
    this.pathHash = hash;
    this.pathEnd = at;
    while (byte > space && byte < 127) byte = bytes[++at]!;
    if (at === this.pathStart || byte !== space) return -1;

    if (!equals(bytes, at + 1, at + 6, httpName)) return -1;
    this.#major = bytes[at + 6]!;
    this.#minor = bytes[at + 8]!;
    if (!isDigit(this.#major) || bytes[at + 7] !== dot || !isDigit(this.#minor)) return -1;
    if (bytes[at + 9] !== cr || bytes[at + 10] !== lf) return -1;
    return at + 11;
  }

  /** Reads the fields from `start` to the empty line; false when malformed. */
  #parseFields(bytes: Uint8Array, start: number, end: number): boolean {
    this.#hostFields = 0;
    this.#contentLength = -1;
    this.#hasTransferEncoding = false;
    this.#saysClose = false;
    this.#saysKeepAlive = false;
    this.expectsContinue = false;
    let at = start;
    while (bytes[at] !== cr) {
      const nameStart = at;
      at = tokenStop(bytes, at);
      const nameEnd = at;
      if (nameEnd === nameStart || bytes[at] !== colon) return false;
      do at++;
      while (bytes[at] === space || bytes[at] === tab);
      const valueStart = at;
      let byte = bytes[at]!;
      while ((byte >= space && byte !== 127) || byte === tab) byte = bytes[++at]!;
      if (byte !== cr || bytes[at + 1] !== lf) return false;
      if (!this.#parseField(bytes, nameStart, nameEnd, valueStart, at)) return false;
      at += 2;
    }
    return at + 2 === end && bytes[at + 1] === lf;
  }

  /** Takes note of the fields that decide about framing and connection; false when one of them is malformed. */
  #parseField(bytes: Uint8Array, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): boolean {
    switch (nameEnd - nameStart) {
      case hostField.length:
        if (isName(bytes, nameStart, nameEnd, hostField)) this.#hostFields++;
        return true;
      case expectField.length:
        if (isName(bytes, nameStart, nameEnd, expectField)) {
          this.expectsContinue = hasToken(bytes, valueStart, lineEnd, continueToken);
        }
        return true;
      case connectionField.length:
        if (isName(bytes, nameStart, nameEnd, connectionField)) {
          this.#saysClose ||= hasToken(bytes, valueStart, lineEnd, closeToken);
          this.#saysKeepAlive ||= hasToken(bytes, valueStart, lineEnd, keepAliveToken);
        }
        return true;
      case transferEncodingField.length:
        this.#hasTransferEncoding ||= isName(bytes, nameStart, nameEnd, transferEncodingField);
        return true;
      case contentLengthField.length: {
        if (!isName(bytes, nameStart, nameEnd, contentLengthField)) return true;
        const length = parseLength(bytes, valueStart, trimmedEnd(bytes, valueStart, lineEnd));
        if (length < 0 || (this.#contentLength >= 0 && this.#contentLength !== length)) return false;
        this.#contentLength = length;
        return true;
      }
      default:
        return true;
    }
  }
}

/**
 * The offset after the empty line that ends a head, or -1; `from` is the first place its last byte can be. Bare line
 * feeds end a head too, so that it is refused rather than waited for.
 */
function headEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const byte = bytes[at]!;
    if (byte === lf) {
      const previous = bytes[at - 1];
      if (previous === lf || (previous === cr && bytes[at - 2] === lf)) return at + 1;
      at++;
    } else {
      at += byte === cr ? 1 : 2; // an end here or at the next byte needs a line end here
    }
  }
  return -1;
}

function equals(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** Whether the comma-separated list `bytes[start, end)` has `token` (lower case) as a member. */
function hasToken(bytes: Uint8Array, start: number, end: number, token: Uint8Array): boolean {
  for (let at = memberStart(bytes, start, end); at < end; ) {
    const stop = memberStop(bytes, at, end);
    if (isName(bytes, at, stop, token)) return true;
    at = memberStart(bytes, stop, end);
  }
  return false;
}

function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  let trimmed = end;
  while (trimmed > start && (bytes[trimmed - 1] === space || bytes[trimmed - 1] === tab)) trimmed--;
  return trimmed;
}

/** The decimal number `bytes[start, end)`; -1 when it is none. */
function parseLength(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > maxLengthDigits) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (!isDigit(byte)) return -1;
    length = length * 10 + (byte - zero);
  }
  return length;
}
