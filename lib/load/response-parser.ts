// Responses of HTTP/1.1 as they arrive in pieces, one at a time on a connection (RFC 9112 §2 to §7).
//
//   head ──┬─ fixed ───────────────────────────┬─ done
//          ├─ chunkSize ⇄ chunkData ── trailer ─┤
//          ├─ untilClose ──────── end of stream ┤
//          └─ (1xx: head again) ────────────────┘
//
// Hot code: a whole response in one piece allocates nothing.

export const Progress = { NeedsMore: 0, Complete: 1, Malformed: 2 } as const;
export type Progress = (typeof Progress)[keyof typeof Progress];

const State = {
  Head: 0,
  Fixed: 1,
  ChunkSize: 2,
  ChunkData: 3,
  ChunkEnd: 4,
  Trailer: 5,
  UntilClose: 6,
  Done: 7,
} as const;
type State = (typeof State)[keyof typeof State];

const headLimitBytes = 64 * 1024;
const chunkLineLimitBytes = 4096;
const cr = 13;
const lf = 10;

export class ResponseParser {
  /** Of the response being read; 0 before its status line. */
  status = 0;
  /** Whether the connection may carry another request after this response. */
  keepAlive = true;
  #state: State = State.Done;
  #isHead = false;
  /** Bytes of the body or chunk still to come. */
  #restBytes = 0;
  /** Start of a line or head that the last piece cut; empty most of the time. */
  #pending: Uint8Array = new Uint8Array(0);
  #contentLength = -1;
  #isChunked = false;

  /** Readies for the response to a request just sent; `isHead`: it was a HEAD. */
  begin(isHead: boolean): void {
    this.status = 0;
    this.keepAlive = true;
    this.#state = State.Head;
    this.#isHead = isHead;
    if (this.#pending.length > 0) this.#pending = new Uint8Array(0);
  }

  /** Takes the next piece. After Complete or Malformed the response is over; bytes beyond its end are Malformed. */
  feed(piece: Uint8Array): Progress {
    let bytes = piece;
    if (this.#pending.length > 0) {
      bytes = Buffer.concat([this.#pending, piece]);
      this.#pending = new Uint8Array(0);
    }
    let at = 0;
    while (true) {
      switch (this.#state) {
        case State.Head: {
          const end = headEnd(bytes, at);
          if (end < 0) return this.#keep(bytes, at, headLimitBytes);
          if (end - at > headLimitBytes || !this.#readHead(bytes, at, end)) return Progress.Malformed;
          at = end;
          if (this.status < 200) continue; // interim response: the real one follows
          this.#chooseFraming();
          break;
        }
        case State.Fixed: {
          const take = Math.min(this.#restBytes, bytes.length - at);
          this.#restBytes -= take;
          at += take;
          if (this.#restBytes > 0) return Progress.NeedsMore;
          this.#state = State.Done;
          break;
        }
        case State.ChunkSize: {
          const end = bytes.indexOf(lf, at);
          if (end < 0) return this.#keep(bytes, at, chunkLineLimitBytes);
          const size = parseChunkSize(bytes, at, end);
          if (size < 0) return Progress.Malformed;
          at = end + 1;
          this.#restBytes = size;
          this.#state = size === 0 ? State.Trailer : State.ChunkData;
          break;
        }
        case State.ChunkData: {
          const take = Math.min(this.#restBytes, bytes.length - at);
          this.#restBytes -= take;
          at += take;
          if (this.#restBytes > 0) return Progress.NeedsMore;
          this.#state = State.ChunkEnd;
          break;
        }
        case State.ChunkEnd:
          if (bytes.length - at < 2) return this.#keep(bytes, at, 2);
          if (bytes[at] !== cr || bytes[at + 1] !== lf) return Progress.Malformed;
          at += 2;
          this.#state = State.ChunkSize;
          break;
        case State.Trailer: {
          const end = bytes.indexOf(lf, at);
          if (end < 0) return this.#keep(bytes, at, headLimitBytes);
          const isEmpty = end === at || (end === at + 1 && bytes[at] === cr);
          at = end + 1;
          if (isEmpty) this.#state = State.Done;
          break;
        }
        case State.UntilClose:
          return Progress.NeedsMore;
        case State.Done:
          return at < bytes.length ? Progress.Malformed : Progress.Complete;
      }
    }
  }

  /** The connection has ended: whether that completes the response (a body that lasts until the close). */
  endsWithClose(): boolean {
    return this.#state === State.UntilClose;
  }

  #keep(bytes: Uint8Array, at: number, limitBytes: number): Progress {
    if (bytes.length - at > limitBytes) return Progress.Malformed;
    this.#pending = Uint8Array.prototype.slice.call(bytes, at); // a copy: the piece belongs to the socket
    return Progress.NeedsMore;
  }

  /** RFC 9112 §6.3, in its order. */
  #chooseFraming(): void {
    if (this.#isHead || this.status === 204 || this.status === 304) this.#state = State.Done;
    else if (this.#isChunked) this.#state = State.ChunkSize;
    else if (this.#contentLength >= 0) {
      this.#restBytes = this.#contentLength;
      this.#state = State.Fixed;
    } else {
      this.keepAlive = false;
      this.#state = State.UntilClose;
    }
  }

  /** Status line and fields between `at` and `end`; false when they break the grammar. */
  #readHead(bytes: Uint8Array, at: number, end: number): boolean {
    // "HTTP/1.x SSS"
    if (end - at < 14 || bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54) return false;
    if (bytes[at + 3] !== 0x50 || bytes[at + 4] !== 0x2f || bytes[at + 5] !== 0x31 || bytes[at + 6] !== 0x2e)
      return false;
    const minor = (bytes[at + 7] as number) - 0x30;
    const [a, b, c] = [digit(bytes[at + 9]), digit(bytes[at + 10]), digit(bytes[at + 11])];
    if ((minor !== 0 && minor !== 1) || bytes[at + 8] !== 0x20 || a < 1 || a > 5 || b < 0 || c < 0) return false;
    const afterStatus = bytes[at + 12];
    if (afterStatus !== 0x20 && afterStatus !== cr && afterStatus !== lf) return false;
    this.status = a * 100 + b * 10 + c;
    this.keepAlive = minor === 1;
    this.#contentLength = -1;
    this.#isChunked = false;
    if (this.status === 101) return false; // never asked for
    let line = bytes.indexOf(lf, at) + 1;
    while (line < end) {
      const lineEnd = bytes.indexOf(lf, line);
      const stop = bytes[lineEnd - 1] === cr ? lineEnd - 1 : lineEnd;
      if (stop > line && !this.#readField(bytes, line, stop)) return false;
      line = lineEnd + 1;
    }
    return true;
  }

  /** One field line; only three fields bear on the framing, and only their first letters are looked at for others. */
  #readField(bytes: Uint8Array, start: number, stop: number): boolean {
    const first = (bytes[start] as number) | 0x20;
    const colon = bytes.indexOf(0x3a, start);
    if (colon <= start || colon >= stop || first === 0x20 || bytes[colon - 1] === 0x20) return false;
    if (first !== 0x63 && first !== 0x74) return true; // neither c… nor t…
    switch (colon - start) {
      case 14:
        return isName(bytes, start, "content-length") ? this.#readContentLength(bytes, colon + 1, stop) : true;
      case 17:
        return isName(bytes, start, "transfer-encoding") ? this.#readTransferEncoding(bytes, colon + 1, stop) : true;
      case 10:
        if (isName(bytes, start, "connection")) this.#readConnection(bytes, colon + 1, stop);
        return true;
      default:
        return true;
    }
  }

  /** Digits, or a list of the same number; a second, different number is an error (RFC 9112 §6.3 item 5). */
  #readContentLength(bytes: Uint8Array, start: number, stop: number): boolean {
    let value = -1;
    for (let at = start; at <= stop; at++) {
      const n = at < stop ? digit(bytes[at]) : -1;
      if (n >= 0) {
        value = Math.max(value, 0) * 10 + n;
        if (value > Number.MAX_SAFE_INTEGER) return false;
      } else if (at === stop || bytes[at] === 0x2c) {
        if (value < 0 || (this.#contentLength >= 0 && this.#contentLength !== value)) return false;
        this.#contentLength = value;
        value = -1;
      } else if (bytes[at] !== 0x20 && bytes[at] !== 0x09) return false;
      else if (value >= 0 && at + 1 < stop && digit(bytes[at + 1]) >= 0) return false; // "1 2"
    }
    return true;
  }

  #readTransferEncoding(bytes: Uint8Array, start: number, stop: number): boolean {
    const codings = text(bytes, start, stop).split(",");
    if (codings.at(-1)?.trim() !== "chunked" || this.#isChunked) return false; // no other coding was asked for
    this.#isChunked = codings.length === 1;
    return this.#isChunked;
  }

  #readConnection(bytes: Uint8Array, start: number, stop: number): void {
    const options = text(bytes, start, stop);
    if (/(^|,)\s*close\s*(,|$)/.test(options)) this.keepAlive = false;
    else if (/(^|,)\s*keep-alive\s*(,|$)/.test(options)) this.keepAlive = true;
  }
}

/** The index after the empty line that ends a head; -1 when it has not come. */
function headEnd(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(lf, start); at >= 0; at = bytes.indexOf(lf, at + 1)) {
    if (bytes[at + 1] === lf) return at + 2;
    if (bytes[at + 1] === cr && bytes[at + 2] === lf) return at + 3;
  }
  return -1;
}

/** The size of a chunk from its line, extensions skipped; -1 when there is none. */
function parseChunkSize(bytes: Uint8Array, start: number, end: number): number {
  let size = 0;
  let at = start;
  for (; at < end; at++) {
    const value = hexDigit(bytes[at] as number);
    if (value < 0) break;
    size = size * 16 + value;
    if (size > Number.MAX_SAFE_INTEGER) return -1;
  }
  if (at === start) return -1;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return bytes[at] === 0x3b || (bytes[at] === cr && at + 1 === end) || at === end ? size : -1;
}

function digit(byte: number | undefined): number {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Whether the bytes at `start` are `name`, which is lower case, in any case. */
function isName(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (((bytes[start + i] as number) | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}

function text(bytes: Uint8Array, start: number, stop: number): string {
  return String.fromCharCode(...bytes.subarray(start, stop)).toLowerCase();
}
