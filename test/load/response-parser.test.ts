import { expect, test } from "bun:test";
import fc from "fast-check";
import { Progress, ResponseParser } from "../../lib/load/response-parser.ts";

interface Expected {
  progress: Progress;
  status: number;
  keepAlive: boolean;
}

const whole = (status: number, keepAlive = true): Expected => ({ progress: Progress.Complete, status, keepAlive });
const malformed = { progress: Progress.Malformed };

const cases: [name: string, bytes: string, expected: Partial<Expected>, isHead?: boolean][] = [
  ["a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", whole(200)],
  ["no body at all", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", whole(200)],
  ["204 without length", "HTTP/1.1 204 No Content\r\n\r\n", whole(204)],
  ["304 with a length that does not count", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", whole(304)],
  ["the answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", whole(200), true],
  [
    "chunks with extensions and trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    whole(200),
  ],
  [
    "chunked wins over a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    whole(200),
  ],
  [
    "interim responses first",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    whole(200),
  ],
  ["equal lengths twice", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", whole(200)],
  [
    "field names in any case",
    "HTTP/1.1 200 OK\r\nCONTENT-LENGTH:2\r\nconNECtion: foo , Close\r\n\r\nok",
    whole(200, false),
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", whole(200, false)],
  ["HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", whole(200, true)],
  ["an empty reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", whole(404)],
  ["different lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", malformed],
  ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nok", malformed],
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", malformed],
  ["bytes after the end", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", malformed],
  ["101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n", malformed],
  ["another protocol", "SSH-2.0-OpenSSH_9.2 something long\r\n\r\n", malformed],
  ["a coding that nobody asked for", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", malformed],
  ["a chunk without size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", malformed],
  ["a chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxxx\r\n", malformed],
  ["a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", malformed],
  ["a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b: c\r\n\r\n", malformed],
];

function feedAll(bytes: Uint8Array, cuts: readonly number[], isHead: boolean): ResponseParser & { progress: Progress } {
  const parser = new ResponseParser();
  parser.begin(isHead);
  let progress: Progress = Progress.NeedsMore;
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < edges.length; i++) {
    const piece = bytes.subarray(edges[i - 1], edges[i]);
    if (piece.length > 0 && progress !== Progress.Malformed) progress = parser.feed(piece);
  }
  return Object.assign(parser, { progress });
}

test.each(cases)("%s is understood, however the bytes are split", (_, text, expected, isHead = false) => {
  const bytes = Buffer.from(text);
  expect(feedAll(bytes, [], isHead)).toMatchObject(expected);
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
      expect(feedAll(bytes, cuts, isHead)).toMatchObject(expected);
    }),
    { numRuns: 200 },
  );
  expect(
    feedAll(
      bytes,
      Array.from({ length: bytes.length }, (_, i) => i),
      isHead,
    ),
  ).toMatchObject(expected);
});

test("a body without length ends with the connection, and only then", () => {
  const parser = feedAll(Buffer.from("HTTP/1.1 200 OK\r\n\r\nanything"), [], false);
  expect(parser.progress).toBe(Progress.NeedsMore);
  expect(parser.endsWithClose()).toBe(true);
  expect(feedAll(Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), [], false).endsWithClose()).toBe(
    false,
  );
});

test("a head without end is refused, not kept", () => {
  const parser = new ResponseParser();
  parser.begin(false);
  let progress = parser.feed(Buffer.from("HTTP/1.1 200 OK\r\n"));
  for (let i = 0; i < 100 && progress === Progress.NeedsMore; i++) progress = parser.feed(Buffer.alloc(1000, "x"));
  expect(progress).toBe(Progress.Malformed);
});

test("junk gives a verdict or waits for more, and never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (junk, afterStatusLine) => {
      const prefix = afterStatusLine ? "HTTP/1.1 200 OK\r\n" : "";
      expect([0, 1, 2]).toContain(feedAll(Buffer.concat([Buffer.from(prefix), junk]), [3, 7], false).progress);
    }),
  );
});
