// The bytes that HTTP/1.1 is made of (RFC 9112, RFC 9110 §5.6), for hot code: offsets and numbers, never strings.

export const tab = 9;
export const lf = 10;
export const cr = 13;
export const space = 32;
export const comma = 44;
export const colon = 58;
export const semicolon = 59;

/** 1 for the bytes of a token, such as the name of a field. */
const isToken = new Uint8Array(256);
for (const byte of Buffer.from("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
  isToken[byte] = 1;
}

/** 1 for the bytes within a line: space, tab, visible ones and all above ASCII. */
const isText = new Uint8Array(256).fill(1, space);
isText[tab] = 1;
isText[127] = 0;

/** The first offset from `start` on whose byte belongs to no token. */
export function tokenStop(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isToken[bytes[at]!] === 1) at++;
  return at;
}

/** The first offset from `start` on whose byte is no text. */
export function textStop(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && isText[bytes[at]!] === 1) at++;
  return at;
}

/** In place of an offset: the bytes have not all come, or they are wrong. */
export const cut = -1;
export const broken = -2;

/** The offset after the line end at `at`, a CRLF or a lone LF (RFC 9112 §2.2). */
export function lineStop(bytes: Uint8Array, at: number): number {
  if (at === bytes.length) return cut;
  if (bytes[at] === lf) return at + 1;
  if (bytes[at] !== cr) return broken;
  if (at + 1 === bytes.length) return cut;
  return bytes[at + 1] === lf ? at + 2 : broken;
}

/** The offset after the CRLF at `at`. */
export function crlfStop(bytes: Uint8Array, at: number): number {
  return bytes[at] === lf ? broken : lineStop(bytes, at);
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** The value of a hexadecimal digit; -1 when it is none. */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Space within a value, to which a folded line end belongs (RFC 9112 §5.2). */
export function isBlank(byte: number): boolean {
  return byte === space || byte === tab || byte === cr || byte === lf;
}

/** Whether `bytes[start, stop)` is `name`, which is lower case, in any case. */
export function isName(bytes: Uint8Array, start: number, stop: number, name: Uint8Array): boolean {
  if (stop - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if ((bytes[start + i]! | 0x20) !== name[i]) return false;
  }
  return true;
}

/** Where the next member of a comma-separated list begins, empty ones skipped (RFC 9110 §5.6.1.2); `stop`: nowhere. */
export function memberStart(bytes: Uint8Array, start: number, stop: number): number {
  let at = start;
  while (at < stop && (bytes[at] === comma || isBlank(bytes[at]!))) at++;
  return at;
}

/** Where the member that begins at `start` ends, without the space behind it. */
export function memberStop(bytes: Uint8Array, start: number, stop: number): number {
  let at = start;
  while (at < stop && bytes[at] !== comma) at++;
  while (isBlank(bytes[at - 1]!)) at--;
  return at;
}
