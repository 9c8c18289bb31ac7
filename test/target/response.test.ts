import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeResponse, type Framing, framings, Persistence } from "../../lib/target/response.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok, okClosing, start, stopAll } from "./running-target.ts";

afterEach(stopAll);

const okLine = "200 OK\r\nContent-Type: text/plain\r\n";
const extension = (chunk: number) => `;n=${chunk} ; quoted="a \\"b\\"; c"`;
/** The answers to HTTP/1.1 requests for "ok\n". */
const expected: Record<Framing, string> = {
  length: ok,
  chunked: `HTTP/1.1 ${okLine}Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n2\r\nk\n\r\n0\r\n\r\n`,
  "chunked-extensions": `HTTP/1.1 ${okLine}Transfer-Encoding: chunked\r\n\r\n001${extension(0)}\r\no\r\n002${extension(1)}\r\nk\n\r\n0;last\r\n\r\n`,
  trailers: `HTTP/1.1 ${okLine}Transfer-Encoding: chunked\r\nTrailer: X-Chunks, X-Complete\r\n\r\n1\r\no\r\n2\r\nk\n\r\n0\r\nX-Chunks: 2\r\nX-Complete: yes\r\n\r\n`,
  close: `HTTP/1.1 ${okLine}Connection: close\r\n\r\nok\n`,
  http10: `HTTP/1.0 ${okLine}Content-Length: 3\r\n\r\nok\n`,
  "http10-keep-alive": `HTTP/1.0 ${okLine}Content-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n`,
  interim: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n${ok}`,
};
const isClosing = (framing: Framing) => framing === "close" || framing === "http10";

/** The body of a chunked response, by the letter of RFC 9112 §7.1. */
function dechunk(text: string): string {
  let body = "";
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const bytes = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (bytes === 0) break;
    body += text.slice(at, at + bytes);
    at += bytes;
    expect(text.slice(at, at + 2)).toBe("\r\n");
    at += 2;
  }
  expect(text.slice(at)).toMatch(/^([\w-]+: \w+\r\n)*\r\n$/);
  return body;
}

test("each framing is what RFC 9112 says, byte for byte", () => {
  for (const framing of framings) {
    const form = { code: 200, framing, isHead: false, persistence: Persistence.Kept, body: Buffer.from("ok\n") };
    expect(Buffer.from(encodeResponse(form).bytes).toString()).toBe(expected[framing]);
  }
});

test("HEAD has the head of GET and no body, whatever the framing", () => {
  for (const framing of framings) {
    for (const persistence of Object.values(Persistence)) {
      const form = { code: 404, framing, persistence, body: Buffer.from("body") };
      const [whole, head] = [encodeResponse({ ...form, isHead: false }), encodeResponse({ ...form, isHead: true })];
      expect(whole.bytes.subarray(0, whole.headBytes)).toEqual(head.bytes);
      expect(head.headBytes).toBe(head.bytes.length);
    }
  }
});

test("chunks join to the body, whatever its size", () => {
  fc.assert(
    fc.property(fc.constantFrom("chunked", "chunked-extensions", "trailers"), fc.nat(200_000), (framing, bodyBytes) => {
      const body = Buffer.alloc(bodyBytes, "abc\r\n0\r\n\r\n");
      const form = { code: 200, framing, isHead: false, persistence: Persistence.Kept, body } as const;
      const { bytes, headBytes } = encodeResponse(form);
      expect(dechunk(Buffer.from(bytes.subarray(headBytes)).toString()) === body.toString()).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("the connection is kept or closed as the framing says", async () => {
  for (const framing of framings) {
    const target = start({ framings: [framing] });
    const client = await RawClient.connect(target.url);
    client.send(get("/").repeat(2));
    const count = isClosing(framing) ? 1 : 2;
    const all = expected[framing].repeat(count);
    expect(await (isClosing(framing) ? client.receiveAll() : client.receive(isBytes(all.length)))).toBe(all);
    expect(target.tally.requests).toBe(count);
  }
});

test("`Connection: close` ends the connection in every framing, also after HEAD", async () => {
  for (const framing of framings) {
    for (const method of ["GET", "HEAD"]) {
      const client = await RawClient.connect(start({ framings: [framing] }).url);
      client.send(get("/", "Connection: close\r\n").replace("GET", method) + get("/"));
      const text = await client.receiveAll();
      expect(text.includes("HTTP/1.1 200") ? /\r\nConnection: close\r\n/.test(text) : !/keep-alive/.test(text)).toBe(
        true,
      );
      expect(text.endsWith("\r\n\r\n")).toBe(method === "HEAD" || text.includes("chunked"));
    }
  }
});

test("HTTP/1.0 clients get Content-Length instead of chunks and interim responses", async () => {
  for (const framing of ["chunked", "chunked-extensions", "trailers", "interim"] as const) {
    const client = await RawClient.connect(start({ framings: [framing] }).url);
    client.send("GET / HTTP/1.0\r\n\r\n");
    expect(await client.receiveAll()).toBe(okClosing);
  }
});

test("`mixed` framings take turns by the number of the request, over all connections", async () => {
  const target = start({ framings });
  for (const framing of [...framings, "length", "chunked"] as const) {
    const client = await RawClient.connect(target.url);
    client.send(get("/"));
    expect(await client.receive(isBytes(expected[framing].length))).toBe(expected[framing]);
  }
  expect(Object.fromEntries(target.replies.given().map(({ framing, count }) => [framing, count]))).toEqual({
    ...Object.fromEntries(framings.map((framing) => [framing, 1])),
    length: 2,
    chunked: 2,
  });
});

test("fetch reads a large body in every framing, split or not", async () => {
  for (const framing of framings) {
    for (const isSplit of [false, true]) {
      const target = start({ framings: [framing], bodyBytes: 300_000, isSplit });
      for (let i = 0; i < 2; i++) {
        const body = await (await fetch(target.url)).text();
        expect(body === "ok\n".repeat(100_000)).toBe(true);
      }
    }
  }
});

test("the largest body is sent whole, also to a client that reads slowly and asks twice at once", async () => {
  const bodyBytes = 16 * 1024 * 1024;
  const target = start({ framings: ["chunked"], bodyBytes });
  const wholeBytes = encodeResponse({
    code: 200,
    framing: "chunked",
    isHead: false,
    persistence: Persistence.Kept,
    body: new Uint8Array(bodyBytes),
  }).bytes.length;
  const { hostname, port } = new URL(target.url);
  let received = 0;
  const done = Promise.withResolvers<void>();
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        socket.write(get("/").repeat(2));
        socket.pause();
        setTimeout(() => socket.resume(), 50);
      },
      data(_, chunk) {
        received += chunk.length;
        if (received === 2 * wholeBytes) done.resolve();
      },
      close: () => done.reject(new Error(`closed after ${received} bytes`)),
    },
  });
  await done.promise;
  expect(target.tally.bytesSent).toBe(received);
});
