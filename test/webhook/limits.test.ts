// What slow and many clients meet with, and what becomes of the others meanwhile.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { bodyLimits } from "../../lib/webhook/request-bodies.ts";
import { Client, post } from "./client.ts";
import { reviewText } from "./reviews.ts";
import { serving } from "./serving.ts";

/** Long enough that only those are cut who are meant, short enough to wait for. */
const connections = { exchangeMs: 1500, idleMs: 600_000, count: 4096 };
const request = post("/validate", reviewText("l-1"));

/** Begins a request, whose body the server then reads. */
async function begin(client: Client): Promise<void> {
  const waiting = post("/validate", reviewText("l-1"), { Expect: "100-continue" }).toString();
  client.send(waiting.slice(0, waiting.indexOf("{")));
  await client.sees("100 Continue");
}

async function expectAnswer(client: Client): Promise<void> {
  client.send(request);
  expect((await client.answer()).body).toContain('"uid":"l-1"');
}

async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(10);
}

test.each([true, false])(
  "slow clients are cut, and those that are between two requests are not (plain: %p)",
  async (isPlain) => {
    const server = await serving({ isPlain, limits: { connections } });
    const between = await server.open();
    await expectAnswer(between);
    const tcp = await Client.open(server.port);
    const tls = await Client.open(server.port);
    tls.send(Buffer.from("1603010200010001fc0303", "hex")); // the beginning of a ClientHello
    const head = await server.open();
    head.send(request.subarray(0, 20));
    const body = await server.open();
    body.send(request.subarray(0, -1));
    const second = await server.open();
    await expectAnswer(second);
    second.send("P");
    await Promise.all([tcp, isPlain ? tcp : tls, head, body, second].map((client) => client.ended()));
    expect(await server.metric("loadtest_admission_connections_cut_total", { reason: "slow" })).toBe(isPlain ? 4 : 5);
    await expectAnswer(between);
    server.admission.stop();
  },
);

test("a client that sends a byte now and then is slow all the same", async () => {
  const server = await serving({ limits: { connections } });
  const client = await server.open();
  for (const byte of request) {
    if (client.isEnded) break;
    client.send(Buffer.of(byte));
    await Bun.sleep(50);
  }
  expect(client.isEnded).toBe(true);
  server.admission.stop();
});

test("a client that takes no answers is cut, and its answers do not pile up", async () => {
  const server = await serving({ isPlain: true, limits: { connections } });
  const socket = connect(server.port, "127.0.0.1").pause();
  socket.on("error", () => {}); // the reset that ends it
  const requests = "GET /validate HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
  socket.write(requests.repeat(500));
  await eventually(async () => (await server.metric("loadtest_admission_connections_cut_total")) === 1);
  expect(await server.metric("loadtest_admission_refused_total", { reason: "method" })).toBeLessThan(500_000);
  await expectAnswer(await server.open());
  server.admission.stop();
});

test("beyond the most connections the one that is idle for longest gives way", async () => {
  const server = await serving({ limits: { connections: { ...connections, exchangeMs: 600_000, count: 3 } } });
  const [first, second, third] = [await server.open(), await server.open(), await server.open()];
  for (const client of [second, third, first]) {
    await expectAnswer(client);
    await Bun.sleep(5); // instants are told apart by the millisecond
  }
  const fourth = await server.open();
  await expectAnswer(fourth);
  await second.ended();
  for (const client of [first, third, fourth]) await expectAnswer(client);
  server.admission.stop();
});

test("beyond the most connections, with none of them idle, the new one is closed", async () => {
  const server = await serving({
    isPlain: true,
    limits: { connections: { ...connections, exchangeMs: 600_000, count: 2 } },
  });
  const busy = [await server.open(), await server.open()];
  for (const client of busy) client.send(request.subarray(0, -1));
  await (await server.open()).ended();
  for (const client of busy) client.send(request.subarray(-1));
  for (const client of busy) expect((await client.answer()).status).toBe(200);
  server.admission.stop();
});

test("beyond the most bodies the one that is read for longest gives way", async () => {
  const server = await serving({ limits: { bodies: { ...bodyLimits, count: 2 } } });
  const [oldest, older, old] = [await server.open(), await server.open(), await server.open()];
  for (const client of [oldest, older]) await begin(client);
  await begin(old);
  expect(await oldest.answer()).toMatchObject({ status: 503, headers: { "retry-after": "1", connection: "close" } });
  expect(await server.metric("loadtest_admission_refused_total", { reason: "overloaded" })).toBe(1);
  for (const client of [older, old]) client.send(reviewText("l-1"));
  for (const client of [older, old]) expect((await client.answer()).status).toBe(200);
  server.admission.stop();
});

test("beyond the most bytes of bodies, too, and one that is too large for itself is refused", async () => {
  const server = await serving({ limits: { bodies: { ...bodyLimits, bytes: 64 * 1024 } } });
  const large = post("/validate", new Uint8Array(60_000));
  const halfway = await server.open();
  halfway.send(large.subarray(0, -1));
  await Bun.sleep(50); // for it to be read; if it is not, the next one is what gives way
  const client = await server.open();
  client.send(large);
  expect((await Promise.all([halfway.answer(), client.answer()])).map(({ status }) => status).sort()).toEqual([
    400, 503,
  ]);
  const larger = await server.open();
  larger.send(post("/validate", new Uint8Array(100_000)));
  expect(await larger.answer()).toMatchObject({ status: 503, headers: { connection: "close" } });
  for (let index = 0; index < 10; index++) await expectAnswer(await server.open()); // what was held is free again
  server.admission.stop();
});

test("a client that goes away in the middle of a body leaves nothing behind", async () => {
  const server = await serving({ limits: { bodies: { ...bodyLimits, count: 1 } } });
  for (let index = 0; index < 5; index++) {
    const client = await server.open();
    await begin(client);
    client.close();
    await eventually(async () => (await server.metric("loadtest_admission_connections")) === 0);
  }
  expect(await server.metric("loadtest_admission_refused_total", { reason: "overloaded" })).toBe(0);
  await expectAnswer(await server.open());
  server.admission.stop();
});
