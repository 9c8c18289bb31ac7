import { afterAll, expect, test } from "bun:test";
import { isExpired } from "../../lib/kube/api-error.ts";
import type { WatchEvent } from "../../lib/kube/client.ts";
import { ConnectionError } from "../../lib/kube/connection-error.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { pods } from "../../lib/kube/resource.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { fixedConnection } from "./test-server.ts";

type Pieces = (string | number)[];
let pieces: Pieces = [];
let asked: URL | undefined;
/** Sends the texts of `pieces`, and waits for the numbers between them, in ms. */
const server = Bun.serve({
  port: 0,
  idleTimeout: 0,
  fetch: (request) => {
    asked = new URL(request.url);
    const encoder = new TextEncoder();
    return new Response(
      new ReadableStream({
        async start(controller) {
          for (const piece of pieces) {
            if (typeof piece === "number") await Bun.sleep(piece);
            else controller.enqueue(encoder.encode(piece));
          }
          controller.close();
        },
      }),
    );
  },
});
afterAll(() => server.stop(true));
const client = new HttpKubeClient(fixedConnection(`http://localhost:${server.port}`, { tls: {}, headers: {} }));

const event = (type: string, name: string) =>
  `${JSON.stringify({ type, object: { metadata: { name, resourceVersion: "7" } } })}\n`;

async function read(options: { silenceMs?: number; stop?: AbortController } = {}): Promise<string[]> {
  const { stop = new AbortController(), ...rest } = options;
  const seen: string[] = [];
  const watch = client.watch(pods, {
    namespace: "ns",
    labelSelector: "a=b",
    resourceVersion: "5",
    signal: stop.signal,
    ...rest,
  });
  for await (const { type, object } of watch as AsyncIterable<WatchEvent<Pod>>)
    seen.push(`${type} ${object.metadata.name}`);
  return seen;
}

test("events come as they are, however the stream is cut, until the server ends it", async () => {
  const text = event("ADDED", "ä") + event("MODIFIED", "b") + event("BOOKMARK", "") + event("DELETED", "c");
  pieces = [text.slice(0, 10), 5, text.slice(10, 90), 5, text.slice(90)];
  expect(await read()).toEqual(["ADDED ä", "MODIFIED b", "BOOKMARK ", "DELETED c"]);
  expect(asked?.pathname).toBe("/api/v1/namespaces/ns/pods");
  expect(Object.fromEntries(asked?.searchParams ?? [])).toEqual({
    watch: "1",
    allowWatchBookmarks: "true",
    labelSelector: "a=b",
    resourceVersion: "5",
  });
});

test("an event that says that the version is too old asks for a new list", async () => {
  pieces = [
    event("ADDED", "a"),
    `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, message: "too old" } })}\n`,
  ];
  const error = await read().catch((error: unknown) => error);
  expect(isExpired(error)).toBe(true);
});

test("a stream that falls silent without ending is given up", async () => {
  pieces = [event("ADDED", "a"), 60_000];
  const error = await read({ silenceMs: 100 }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConnectionError);
  expect((error as ConnectionError).failure).toBe("timeout");
});

/** A watch of a server that says this on each connection, and nothing more. */
function readDeaf(greeting: string): Promise<WatchEvent<Pod>[]> {
  const server = Bun.listen({
    hostname: "localhost",
    port: 0,
    socket: {
      data: (socket) => {
        socket.write(greeting);
      },
    },
  });
  const connection = fixedConnection(`http://localhost:${server.port}`, { tls: {}, headers: {} });
  const options = { resourceVersion: "5", silenceMs: 100, signal: new AbortController().signal };
  const watch: AsyncIterable<WatchEvent<Pod>> = new HttpKubeClient(connection).watch(pods, options);
  return Array.fromAsync(watch).finally(() => server.stop(true));
}

test("a stream on which nothing was ever said ends", async () => {
  expect(await readDeaf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")).toEqual([]);
});

test("a server that does not begin to answer fails", async () => {
  const error = await readDeaf("").catch((error: unknown) => error);
  expect((error as ConnectionError).failure).toBe("timeout");
});

test("each event breaks the silence", async () => {
  pieces = Array.from({ length: 8 }, (_, i) => [event("ADDED", String(i)), 100]).flat();
  expect((await read({ silenceMs: 400 })).length).toBe(8);
});

test("the caller ends it with its reason", async () => {
  pieces = [event("ADDED", "a"), 60_000];
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 50);
  expect(read({ stop })).rejects.toThrow("enough");
});

test("a field selector names one object", async () => {
  pieces = [event("MODIFIED", "a")];
  const scope = { namespace: "ns", fieldSelector: "metadata.name=a" };
  const options = { ...scope, resourceVersion: "5", signal: new AbortController().signal };
  expect(await Array.fromAsync(client.watch(pods, options), ({ type }) => type)).toEqual(["MODIFIED"]);
  expect(asked?.searchParams.get("fieldSelector")).toBe("metadata.name=a");
});
