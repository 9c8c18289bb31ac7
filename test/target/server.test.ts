import { afterEach, expect, test } from "bun:test";
import { targetReport } from "../../lib/target/report.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok, okClosing, start, stopAll } from "./running-target.ts";

afterEach(stopAll);

test("pipelined requests are answered in order, HEAD without a body", async () => {
  const client = await RawClient.connect(start().url);
  client.send(get("/a") + get("/b").replace("GET", "HEAD") + get("/c"));
  const head = ok.slice(0, -3);
  expect(await client.receive(isBytes(2 * ok.length + head.length))).toBe(ok + head + ok);
});

test("a request split over several chunks is answered once, when it is complete", async () => {
  const target = start();
  const client = await RawClient.connect(target.url);
  const text = get("/a").replace("GET", "POST").replace("Host", "Content-Length: 5\r\nHost");
  for (const part of [text.slice(0, 3), text.slice(3, 20), `${text.slice(20)}he`, "ll", "o"]) {
    client.send(part);
    await Bun.sleep(5); // so that each part is a chunk of its own
    if (part !== "o") expect(target.replies.given()).toEqual([]);
  }
  expect(await client.receive(isBytes(ok.length))).toBe(ok);
});

test("`Connection: close` is honored: the response says so, the connection ends, later requests are not read", async () => {
  const target = start();
  const client = await RawClient.connect(target.url);
  client.send(get("/a") + get("/b", "Connection: close\r\n") + get("/c"));
  expect(await client.receiveAll()).toBe(ok + okClosing);
  expect(target.tally.requests).toBe(2);
});

test("HTTP/1.0 is closed after the response, unless it asks to be kept alive", async () => {
  const client = await RawClient.connect(start().url);
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const kept = ok.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
  expect(await client.receive(isBytes(kept.length))).toBe(kept);
  client.send("GET / HTTP/1.0\r\n\r\n");
  expect(await client.receiveAll()).toBe(kept + okClosing);
});

test("a client that ends its side first still gets its responses, delayed or not", async () => {
  for (const serviceNs of [0, 5e6]) {
    const client = await RawClient.connect(start({ serviceNs }).url);
    client.send(get("/a") + get("/b"));
    client.endSending();
    expect(await client.receiveAll()).toBe(ok + ok);
  }
});

test("a head beyond the limit is answered 431, even to a client that is still sending, and the connection closes", async () => {
  const target = start();
  const client = await RawClient.connect(target.url);
  client.send(get("/", `x: ${"x".repeat(100_000)}\r\n`));
  const answer = await client.receiveAll();
  expect(answer).toStartWith("HTTP/1.1 431 Request Header Fields Too Large\r\n");
  expect(answer).toContain("\r\nConnection: close\r\n");
  expect(target.tally.requests).toBe(0);
});

test("a client that waits for 100 Continue gets it before it sends its body", async () => {
  const client = await RawClient.connect(start().url);
  const asked = "HTTP/1.1 100 Continue\r\n\r\n";
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  expect(await client.receive(isBytes(asked.length))).toBe(asked);
  client.send("body");
  expect(await client.receive(isBytes(asked.length + ok.length))).toBe(asked + ok);
});

test("a client that pipelines without reading loses nothing once it reads", async () => {
  const target = start();
  const { hostname, port } = new URL(target.url);
  const requestCount = 200_000;
  const requests = Buffer.from(get("/").repeat(requestCount));
  let sent = 0;
  let received = 0;
  const done = Promise.withResolvers<void>();
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        sent += socket.write(requests, sent, requests.length - sent);
        socket.pause();
        setTimeout(() => socket.resume(), 100);
      },
      drain(socket) {
        if (sent < requests.length) sent += socket.write(requests, sent, requests.length - sent);
      },
      data(_, chunk) {
        received += chunk.length;
        if (received === requestCount * ok.length) done.resolve();
      },
      close: () => done.reject(new Error(`closed after ${received} bytes`)),
    },
  });
  await done.promise;
  expect(target.tally.requests).toBe(requestCount);
  expect(target.tally.bytesSent).toBe(received);
});

test("delayed responses wait the delay, keep their order, and hold up no other connection", async () => {
  const target = start({ serviceNs: 30e6 });
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(target.url)));
  const startedAtNs = Bun.nanoseconds();
  for (const client of clients) client.send(get("/a") + get("/b", "Connection: close\r\n"));
  expect(await Promise.all(clients.map((client) => client.receiveAll()))).toEqual(Array(3).fill(ok + okClosing));
  const tookNs = Bun.nanoseconds() - startedAtNs;
  expect(tookNs).toBeGreaterThanOrEqual(30e6);
});

test("more delayed responses than the line first holds all leave", async () => {
  const client = await RawClient.connect(start({ serviceNs: 1e6, maxArrivals: 10_000 }).url);
  client.send(get("/").repeat(3000));
  expect(await client.receive(isBytes(3000 * ok.length))).toBe(ok.repeat(3000));
});

test("a connection that closes before its delayed response takes nobody else's away", async () => {
  const target = start({ serviceNs: 20e6 });
  const [leaver, stayer] = await Promise.all([RawClient.connect(target.url), RawClient.connect(target.url)]);
  leaver.send(get("/leaver"));
  stayer.send(get("/stayer", "Connection: close\r\n"));
  await Bun.sleep(5);
  leaver.close();
  expect(await stayer.receiveAll()).toBe(okClosing);
  expect(target.tally.requests).toBe(2);
});

test("the report has the exact numbers of a known sequence", async () => {
  const target = start({ maxArrivals: 4 });
  const first = await RawClient.connect(target.url);
  const second = await RawClient.connect(target.url);
  const [one, two, bad] = [get("/a") + get("/a?x=1"), get("/b").repeat(3), "nonsense\r\n\r\n"];
  first.send(one);
  await first.receive(isBytes(2 * ok.length));
  second.send(two);
  await second.receive(isBytes(3 * ok.length));
  first.send(bad);
  const refusal = (await first.receiveAll()).slice(2 * ok.length);
  const { tally } = target;
  const report = targetReport(tally, target.replies.given(), (instantNs) => (instantNs - tally.firstArrivalNs) / 1e6);
  const spanSeconds = (tally.lastArrivalNs - tally.firstArrivalNs) / 1e9;
  expect(refusal).toStartWith("HTTP/1.1 400 Bad Request\r\n");
  expect(report).toEqual({
    kind: "report",
    requests: 5,
    firstArrivalAtMs: 0,
    lastArrivalAtMs: (tally.lastArrivalNs - tally.firstArrivalNs) / 1e6,
    ratePerSecond: 4 / spanSeconds,
    jitterUs: report.jitterUs,
    jitterArrivals: 4,
    paths: [
      { path: "/b", requests: 3 },
      { path: "/a", requests: 2 },
    ],
    connections: 2,
    connectionErrors: 0,
    bytesReceived: one.length + two.length + bad.length,
    bytesSent: 5 * ok.length + refusal.length,
    statusCodes: { 200: 5, 400: 1 },
    framings: { length: 6 },
    faults: {},
  });
  // the first two arrivals came in one chunk, the next two in another: half the distance between them is on no line
  expect(report.jitterUs?.max).toBeGreaterThan(0);
});

test("listening on a taken port throws the system's code", () => {
  const { port } = new URL(start().url);
  expect(() => start({ port: Number(port) })).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
});
