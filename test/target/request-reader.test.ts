import { expect, test } from "bun:test";
import fc from "fast-check";
import { maxHeadBytes, RequestReader } from "../../lib/target/request-reader.ts";
import { Persistence, Status } from "../../lib/target/response.ts";

interface Read {
  code: number;
  path: string;
  isHead: boolean;
  persistence: Persistence;
  bodyBytes: number;
}

/** What a reader makes of these chunks, until a request is refused or closes the connection. */
function readAll(chunks: readonly Uint8Array[]): Read[] {
  const reader = new RequestReader();
  const requests: Read[] = [];
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (reader.bodyBytesLeft === 0) {
        at = reader.readHead(chunk, at);
        if (!reader.isComplete) break;
        const { pathBytes, pathStart, pathEnd, isHead, persistence, bodyBytesLeft: bodyBytes } = reader;
        const isRefused = reader.status !== Status.Ok;
        const path = isRefused ? "" : Buffer.from(pathBytes.subarray(pathStart, pathEnd)).toString();
        requests.push({ code: reader.status, path, isHead, persistence, bodyBytes });
        if (persistence === Persistence.Closed) return requests;
      }
      at = reader.skipBody(chunk, at);
    }
  }
  return requests;
}

const read = (text: string) => readAll([Buffer.from(text, "latin1")]);
const codes = (text: string) => read(text).map(({ code }) => code);

/** `bytes` cut at these places. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 40 });
const token = fc.stringMatching(/^[a-z]{1,12}$/);
const field = fc.tuple(token, fc.stringMatching(/^[ -~]{0,30}$/)).map(([name, value]) => `x-${name}: ${value}\r\n`);
const request = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "OPTIONS"),
    path: fc.stringMatching(/^\/[a-z0-9/.%-]{0,40}$/),
    query: fc.constantFrom("", "?", "?a=b&c=/d"),
    fields: fc.array(field, { maxLength: 6 }),
    body: fc.option(fc.stringMatching(/^[ -~\r\n]{0,200}$/), { nil: undefined }),
    blankLines: fc.constantFrom("", "\r\n"),
  })
  .map(({ method, path, query, fields, body, blankLines }) => {
    const length = body === undefined ? "" : `content-LENGTH:  ${body.length} \r\n`;
    const head = `${method} ${path}${query} HTTP/1.1\r\nHost: a\r\n${fields.join("")}${length}\r\n`;
    return { method, path, body: body ?? "", text: blankLines + head + (body ?? "") };
  });
const requests = fc.array(request, { minLength: 1, maxLength: 8 });

test("any split of pipelined requests into chunks gives the same requests, paths and bodies", () => {
  fc.assert(
    fc.property(requests, cuts, (sent, places) => {
      const bytes = Buffer.from(sent.map(({ text }) => text).join(""), "latin1");
      expect(readAll(split(bytes, places))).toEqual(
        sent.map(({ method, path, body }) => ({
          code: 200,
          path,
          isHead: method === "HEAD",
          persistence: Persistence.Kept,
          bodyBytes: body.length,
        })),
      );
    }),
    { numRuns: 500 },
  );
});

test("one byte at a time gives the same as all at once", () => {
  const bytes = Buffer.from("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.0\r\n\r\n");
  expect(readAll([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(readAll([bytes]));
});

test("damaged requests are refused alike however they are split, and never throw", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(requests, damage, cuts, (sent, places, splits) => {
      const bytes = Buffer.from(sent.map(({ text }) => text).join(""), "latin1");
      for (const [place, byte] of places) bytes[place % bytes.length] = byte;
      expect(readAll(split(bytes, splits))).toEqual(readAll([bytes]));
    }),
    { numRuns: 1000 },
  );
});

test("random bytes are read alike however they are split, and never throw", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom("\r", "\n", " ", ":", "A", "GET / HTTP/1.1", "Host: a", "\r\n"), { maxLength: 40 })
      .map((parts) => Uint8Array.from(Buffer.from(parts.join("")))),
  );
  fc.assert(
    fc.property(bytes, cuts, (junk, places) => {
      expect(readAll(split(junk, places))).toEqual(readAll([junk]));
    }),
    { numRuns: 2000 },
  );
});

test("the connection is kept or closed as version and Connection field say", () => {
  const { Kept, KeptAloud, Closed } = Persistence;
  const cases: [string, string, Persistence][] = [
    ["1.1", "", Kept],
    ["1.1", "Connection: keep-alive\r\n", Kept],
    ["1.1", "Connection: close\r\n", Closed],
    ["1.1", "connection: Upgrade , CLOSE\t\r\n", Closed],
    ["1.1", "Connection: x\r\nConnection: close\r\n", Closed],
    ["1.1", "Connection: closed\r\n", Kept],
    ["1.0", "", Closed],
    ["1.0", "Connection: Keep-Alive\r\n", KeptAloud],
    ["1.0", "Connection: keep-alive, close\r\n", Closed],
    ["1.2", "", Kept],
  ];
  for (const [version, fields, persistence] of cases) {
    expect([version, fields, read(`GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\n`)[0]?.persistence]).toEqual([
      version,
      fields,
      persistence,
    ]);
  }
});

test("what RFC 9112 calls malformed is refused with 400", () => {
  const heads = [
    "GET /\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET / HTTP/11\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET /é HTTP/1.1\r\nHost: a\r\n\r\n",
    "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: no name\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nx: a\rb\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n",
  ];
  for (const head of heads) expect([head, codes(head)]).toEqual([head, [400]]);
});

test("what may be odd but is allowed is accepted", () => {
  const heads = [
    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhOST:a\r\n\r\n",
    "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nx:\t é \r\nempty:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 00\r\n\r\n",
  ];
  for (const head of heads) expect([head, codes(head)]).toEqual([head, [200]]);
});

test("a body without a length is refused with 411, another major version with 505", () => {
  expect(codes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).toEqual([411]);
  expect(codes("GET / HTTP/2.0\r\nHost: a\r\n\r\n")).toEqual([505]);
});

test("nothing after a refused request is read", () => {
  expect(codes("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")).toEqual([400]);
});

test("a head of exactly the limit is read, one byte more is refused with 431, however it is split", () => {
  const head = (bytes: number) => {
    const [before, after] = ["GET / HTTP/1.1\r\nHost: a\r\nx: ", "\r\n\r\n"];
    return Buffer.from(before + "x".repeat(bytes - before.length - after.length) + after);
  };
  fc.assert(
    fc.property(cuts, (places) => {
      expect(readAll(split(head(maxHeadBytes), places)).map(({ code }) => code)).toEqual([200]);
      expect(readAll(split(head(maxHeadBytes + 1), places)).map(({ code }) => code)).toEqual([431]);
    }),
  );
  expect(readAll([new Uint8Array(1 << 20).fill(65)]).map(({ code }) => code)).toEqual([431]);
});

test("100-continue is expected only of HTTP/1.1 and only when asked for", () => {
  const expects = (head: string) => {
    const reader = new RequestReader();
    reader.readHead(Buffer.from(head), 0);
    return reader.expectsContinue;
  };
  expect(expects("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")).toBe(true);
  expect(expects("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")).toBe(false);
  expect(expects("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")).toBe(false);
});
