import { expect, test } from "bun:test";
import fc from "fast-check";
import { Progress, ResponseParser } from "../../lib/load/response-parser.ts";

interface Expected {
  status: number;
  keepAlive?: boolean;
  isHead?: boolean;
}

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

/** Whole responses, kept alive unless said otherwise. */
const whole: [name: string, text: string, expected?: Partial<Expected>][] = [
  ["a body of known length", `${ok}Content-Length: 5\r\n\r\nhello`],
  ["no body at all", `${ok}Content-Length: 0\r\n\r\n`],
  ["204 without length", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204 }],
  ["204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", { status: 204 }],
  ["304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", { status: 304 }],
  ["304 with a coding", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", { status: 304 }],
  ["the answer to HEAD", `${ok}Content-Length: 9\r\n\r\n`, { isHead: true }],
  ["the answer to HEAD, chunked", chunked, { isHead: true }],
  ["the answer to HEAD, of unknown length", `${ok}\r\n`, { isHead: true }],
  ["equal lengths", `${ok}Content-Length: 2, 02\r\nContent-Length: 2 \r\n\r\nok`],
  ["leading zeros", `${ok}Content-Length: 0002\r\n\r\nok`],
  ["chunks", `${chunked}5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n`],
  ["chunks that look like chunks", `${chunked}00A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n`],
  ["extensions of chunks", `${chunked}2;a=b\r\nok\r\n0 ; a="b;\\"c";d\r\n\r\n`],
  ["extensions without grammar", `${chunked}2\t;;="\xff\r\nok\r\n0;\r\n\r\n`],
  ["space after a chunk size", `${chunked}2 \t\r\nok\r\n0  \r\n\r\n`],
  ["trailers", `${chunked}0\r\nX: y\r\nZ:\r\n\r\n`],
  ["trailers that look like framing", `${chunked}0\r\nContent-Length: x\r\nConnection: close\r\n\r\n`],
  ["chunked beside a length", `${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`],
  ["chunked in a list with empty members", `${ok}Transfer-Encoding: , Chunked ,\r\n\r\n0\r\n\r\n`],
  ["interim responses", `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nX: y\r\n\r\n${ok}Content-Length: 1\r\n\r\nx`],
  [
    "an interim response with framing of its own",
    `HTTP/1.1 199 \r\nContent-Length: 9\r\nConnection: close\r\n\r\n${ok}Content-Length: 1\r\n\r\nx`,
  ],
  ["names in any case", `${ok}CONTENT-LENGTH:2\r\nconNECtion: foo , Close\r\n\r\nok`, { keepAlive: false }],
  [
    "close, then keep-alive",
    `${ok}Content-Length: 0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n`,
    { keepAlive: false },
  ],
  ["options that begin like close", `${ok}Content-Length: 0\r\nConnection: closed, clos, close;a\r\n\r\n`],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", { keepAlive: false }],
  ["HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"],
  [
    "HTTP/1.0 with close and keep-alive",
    "HTTP/1.0 204 \r\nConnection: keep-alive, close\r\n\r\n",
    { status: 204, keepAlive: false },
  ],
  ["a later minor version", "HTTP/1.7 204 \r\n\r\n", { status: 204 }],
  ["an empty reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", { status: 404 }],
  ["a missing reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", { status: 404 }],
  ["bytes above ASCII", `HTTP/1.1 200 \xe9\r\nX: \xff\t\x80\r\nContent-Length: 0\r\n\r\n`],
  ["folded lines", `${ok}X: a\r\n b: c\r\n\td\r\nContent-Length:\r\n\t2\r\n \r\n\r\nok`],
  ["a fold between options", `${ok}Content-Length: 0\r\nConnection: x,\r\n close\r\n\r\n`, { keepAlive: false }],
  ["lines that end in a lone LF", "HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nok"],
  ["trailers that end in a lone LF", `${chunked}0\r\nX: y\n\n`],
];

const malformed: [name: string, text: string][] = [
  ["bytes after the end", `${ok}Content-Length: 2\r\n\r\nokay`],
  ["bytes after the last chunk", `${chunked}0\r\n\r\n\r\n`],
  ["a body after HEAD's kind of answer", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"],
  ["different lengths", `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk`],
  ["different lengths in a list", `${ok}Content-Length: 2, 3\r\n\r\nokk`],
  ["a length that is no number", `${ok}Content-Length: 2x\r\n\r\nok`],
  ["a negative length", `${ok}Content-Length: -2\r\n\r\n`],
  ["an empty length", `${ok}Content-Length: \r\n\r\n`],
  ["an empty member of lengths", `${ok}Content-Length: 2,\r\n\r\nok`],
  ["a length in two parts", `${ok}Content-Length: 1 2\r\n\r\nx`],
  ["a length that no number holds", `${ok}Content-Length: 9007199254740992\r\n\r\n`],
  ["a chunk size that no number holds", `${chunked}20000000000000\r\n`],
  ["a chunk without size", `${chunked};a\r\n`],
  ["a chunk size that is no number", `${chunked}0x2\r\nok\r\n0\r\n\r\n`],
  ["a chunk longer than its size", `${chunked}1\r\nxxx\r\n`],
  ["a control character in an extension", `${chunked}2;\x01\r\nok\r\n0\r\n\r\n`],
  ["a lone LF after a chunk size", `${chunked}2\nok\r\n0\r\n\r\n`],
  ["a lone LF after a chunk", `${chunked}2\r\nok\n0\r\n\r\n`],
  ["a control character in trailers", `${chunked}0\r\nX: \0\r\n\r\n`],
  ["101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["a status above 599", "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"],
  ["another major version", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
  ["another protocol, at its first byte", "S"],
  ["a TLS alert", "\x15\x03\x01\0\x02\x02\x28"],
  ["an empty line before the status line", "\r\nHTTP/1.1 204 \r\n\r\n"],
  ["space before the first field", `${ok} X: y\r\nContent-Length: 0\r\n\r\n`],
  ["a coding that nobody asked for", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`],
  ["a coding that lasts until the close", `${ok}Transfer-Encoding: gzip\r\n\r\n`],
  ["chunked twice", `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["chunked with a parameter", `${ok}Transfer-Encoding: chunked;a=b\r\n\r\n`],
  ["no coding", `${ok}Transfer-Encoding:\r\n\r\n`],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a space before the colon", `${ok}Content-Length : 2\r\n\r\nok`],
  ["a name that is no token", `${ok}X(y): z\r\n\r\n`],
  ["a field without name", `${ok}: z\r\n\r\n`],
  ["a line without colon", `${ok}X\r\n\r\n`],
  ["a NUL in a value", `${ok}X: a\0b\r\n\r\n`],
  ["a DEL in a value", `${ok}X: a\x7fb\r\n\r\n`],
  ["a lone CR in a value", `${ok}X: a\rb\r\n\r\n`],
  ["a CR before the end of a line", `${ok}X: a\r\r\n\r\n`],
  ["a lone CR as the empty line", `${ok}Content-Length: 0\r\n\rX`],
  ["a control character in the reason", "HTTP/1.1 204 \x01\r\n\r\n"],
];

/** Bytes that every response may begin with, and nothing else does: they end it, or need more. */
const unfinished: [name: string, text: string, endsWithClose: boolean][] = [
  ["a body of unknown length", `${ok}\r\nanything`, true],
  ["an empty body of unknown length", `${ok}\r\n`, true],
  ["a body cut short", `${ok}Content-Length: 9\r\n\r\nshort`, false],
  ["the largest length", `${ok}Content-Length: 9007199254740991\r\n\r\nx`, false],
  ["the largest chunk", `${chunked}1FFFFFFFFFFFFF\r\nx`, false],
  ["chunks without the last", `${chunked}2\r\nok\r\n`, false],
  ["trailers without end", `${chunked}0\r\n`, false],
  ["half a status line", "HTTP/1.", false],
  ["half a head", `${ok}Content-Le`, false],
  ["an interim response alone", "HTTP/1.1 100 Continue\r\n\r\n", false],
];

/** What is said of bytes (one a character) that come in pieces, cut at these offsets. */
function read(text: string, isHead: boolean, cuts: readonly number[]) {
  const bytes = Buffer.from(text, "latin1");
  const parser = new ResponseParser();
  parser.begin(isHead);
  let progress: Progress = Progress.NeedsMore;
  let from = 0;
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    progress = parser.feed(bytes.subarray(from, cut));
    from = cut;
  }
  return { progress, status: parser.status, keepAlive: parser.keepAlive, endsWithClose: parser.endsWithClose() };
}

/** Expects the same in one piece, byte by byte, and however else it is cut. */
function expectHoweverCut(text: string, isHead: boolean, expected: object): void {
  expect(read(text, isHead, [])).toMatchObject(expected);
  expect(
    read(
      text,
      isHead,
      [...text].map((_, index) => index),
    ),
  ).toMatchObject(expected);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
      expect(read(text, isHead, cuts)).toMatchObject(expected);
    }),
  );
}

test.each(whole)("%s: the response is whole, however it is cut", (_, text, { isHead = false, ...expected } = {}) => {
  expectHoweverCut(text, isHead, {
    progress: Progress.Complete,
    status: 200,
    keepAlive: true,
    endsWithClose: false,
    ...expected,
  });
});

test.each(malformed)("%s: the response is malformed, however it is cut", (_, text) => {
  expectHoweverCut(text, false, { progress: Progress.Malformed, endsWithClose: false });
});

test.each(unfinished)("%s: the response goes on, however it is cut", (_, text, endsWithClose) => {
  expectHoweverCut(text, false, { progress: Progress.NeedsMore, endsWithClose });
});

test("a response of unknown length ends its connection", () => {
  expect(read(`${ok}Connection: keep-alive\r\n\r\n`, false, []).keepAlive).toBe(false);
});

test("what is malformed stays so, until the next request", () => {
  const parser = new ResponseParser();
  parser.begin(false);
  expect(parser.feed(Buffer.from("SSH-2.0"))).toBe(Progress.Malformed);
  expect(parser.feed(Buffer.from(`${ok}Content-Length: 0\r\n\r\n`))).toBe(Progress.Malformed);
  expect(parser.feed(Buffer.from(""))).toBe(Progress.Malformed);
  parser.begin(false);
  expect(parser.feed(Buffer.from(`${ok}Content-Length: 0\r\n\r\n`))).toBe(Progress.Complete);
});

test("a request that ends early leaves nothing for the next", () => {
  const parser = new ResponseParser();
  parser.begin(false);
  expect(parser.feed(Buffer.from("HTTP/1.0 404 Not Fou"))).toBe(Progress.NeedsMore);
  parser.begin(false);
  expect(parser.status).toBe(0);
  expect(parser.feed(Buffer.from(`${ok}Content-Length: 0\r\n\r\n`))).toBe(Progress.Complete);
});

const endless: [name: string, text: string, more: string][] = [
  ["a status line", "HTTP/1.1 200 ", "x"],
  ["a field", `${ok}X: `, "x"],
  ["a folded field", `${ok}X: y\r\n`, " y\r\n"],
  ["fields", ok, "X: y\r\n"],
  ["interim responses", "", "HTTP/1.1 100 \r\n\r\n"],
  ["trailers", `${chunked}0\r\n`, "X: y\r\n"],
  ["zeros before a chunk size", chunked, "0"],
  ["an extension of a chunk", `${chunked}1;`, "x"],
];

test.each(endless)("%s without end: refused, at the same byte however it is cut", (_, text, more) => {
  const bytes = Buffer.from(text + more.repeat(80_000 / more.length), "latin1");
  const firstMalformed = (pieceBytes: number) => {
    const parser = new ResponseParser();
    parser.begin(false);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      if (parser.feed(bytes.subarray(at, at + pieceBytes)) === Progress.Malformed) return at;
    }
    return -1;
  };
  const limit = firstMalformed(16);
  expect(limit).toBeGreaterThan(4000);
  for (const pieceBytes of [64, 1024, 16_384]) expect(firstMalformed(pieceBytes)).toBe(limit - (limit % pieceBytes));
});

test("a line of 16 KiB is read, a byte more is not", () => {
  const field = (bytes: number) => `X: ${"y".repeat(bytes - 5)}\r\n`;
  const folded = (bytes: number) => `X: y\r\n ${"y".repeat(bytes - 9)}\r\n`;
  const status = (bytes: number) => `HTTP/1.1 200 ${"y".repeat(bytes - 15)}\r\n`;
  for (const [before, line] of [
    [ok, field],
    [ok + field(500), folded],
    [`${chunked}0\r\n`, field],
    ["", status],
  ] as const) {
    expectHoweverCutInFew(before + line(16_384), Progress.NeedsMore);
    expectHoweverCutInFew(before + line(16_385), Progress.Malformed);
  }
});

test("a head of 64 KiB is read, a byte more is not", () => {
  const head = (bytes: number) =>
    `${ok}${`X: ${"y".repeat(995)}\r\n`.repeat(65)}X: ${"y".repeat(bytes - 65_024)}\r\n\r\n`;
  expect(head(65_536).length).toBe(65_536);
  expectHoweverCutInFew(head(65_536), Progress.NeedsMore);
  expectHoweverCutInFew(head(65_537), Progress.Malformed);
});

function expectHoweverCutInFew(text: string, progress: Progress): void {
  for (const cuts of [[], [1], [20], [9, 16_384], [text.length - 2], [text.length - 1], [9, 30_000, 65_536]])
    expect(read(text, false, cuts)).toMatchObject({ progress });
}

test("junk gives a verdict or waits for more, and never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom("", ok, chunked), (junk, before) => {
      const text = before + Buffer.from(junk).toString("latin1");
      expect(read(text, false, [3, 7])).toEqual(read(text, false, []));
    }),
  );
});
