// What the fields of a head say about the end of the response and of its connection (RFC 9112 §6 and §9.3). All other
// fields are ignored.
import { comma, isBlank, isDigit, isName, memberStart, memberStop } from "./http-grammar.ts";

const connection = Buffer.from("connection");
const contentLength = Buffer.from("content-length");
const transferEncoding = Buffer.from("transfer-encoding");
const chunked = Buffer.from("chunked");
const close = Buffer.from("close");
const keepAlive = Buffer.from("keep-alive");

export class ResponseFraming {
  /** -1: not given. */
  contentLength = -1;
  isChunked = false;
  saysClose = false;
  saysKeepAlive = false;

  clear(): void {
    this.contentLength = -1;
    this.isChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
  }

  /** Reads the field with the name `bytes[start, nameStop)` and the value that ends at `stop`; false when it is wrong. */
  readField(bytes: Uint8Array, start: number, nameStop: number, stop: number): boolean {
    switch (nameStop - start) {
      case connection.length:
        if (isName(bytes, start, nameStop, connection)) this.#readConnection(bytes, nameStop + 1, stop);
        return true;
      case contentLength.length:
        return !isName(bytes, start, nameStop, contentLength) || this.#readContentLength(bytes, nameStop + 1, stop);
      case transferEncoding.length:
        return (
          !isName(bytes, start, nameStop, transferEncoding) || this.#readTransferEncoding(bytes, nameStop + 1, stop)
        );
      default:
        return true;
    }
  }

  #readConnection(bytes: Uint8Array, start: number, stop: number): void {
    for (let at = memberStart(bytes, start, stop); at < stop; ) {
      const end = memberStop(bytes, at, stop);
      if (isName(bytes, at, end, close)) this.saysClose = true;
      else if (isName(bytes, at, end, keepAlive)) this.saysKeepAlive = true;
      at = memberStart(bytes, end, stop);
    }
  }

  /** Digits, or a list of the same number; a second, different number is an error (RFC 9112 §6.3 item 5). */
  #readContentLength(bytes: Uint8Array, start: number, stop: number): boolean {
    let value = -1;
    for (let at = start; at <= stop; at++) {
      const byte = at < stop ? bytes[at]! : comma;
      if (isDigit(byte)) {
        value = Math.max(value, 0) * 10 + (byte - 48); // the difference first: the sum must stay exact
        if (value > Number.MAX_SAFE_INTEGER) return false;
      } else if (byte === comma) {
        if (value < 0 || (this.contentLength >= 0 && this.contentLength !== value)) return false;
        this.contentLength = value;
        value = -1;
      } else if (!isBlank(byte)) return false;
      else if (value >= 0 && at + 1 < stop && isDigit(bytes[at + 1]!)) return false; // "1 2"
    }
    return true;
  }

  /** "chunked", once in all fields of the name: no other coding was asked for. */
  #readTransferEncoding(bytes: Uint8Array, start: number, stop: number): boolean {
    for (let at = memberStart(bytes, start, stop); at < stop; ) {
      const end = memberStop(bytes, at, stop);
      if (this.isChunked || !isName(bytes, at, end, chunked)) return false;
      this.isChunked = true;
      at = memberStart(bytes, end, stop);
    }
    return this.isChunked;
  }
}
