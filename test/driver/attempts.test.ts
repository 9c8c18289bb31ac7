// Attempts at connections that fail, or that nobody answers, and what becomes of the requests that wait for them.
import { afterEach, expect, spyOn, test } from "bun:test";
import { getEventListeners } from "node:events";
import type { Socket, TCPSocketListener } from "bun";
import { Driver } from "../../lib/driver/driver.ts";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { newCertificate } from "../webhook/serving.ts";
import { drive, ok, planFor, serve, serveNobody } from "./drive.ts";
import { silentPort } from "./silent-port.ts";

const never = new AbortController().signal;
const okClosed = `${ok.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}closed`;
const undo: (() => void)[] = [];

afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** A TLS server, each of whose answers ends the connection. */
interface FreezableServer {
  port: number;
  /** Whether it leaves the handshakes of new connections without an answer, for good. */
  isFrozen: boolean;
  answers: number;
  /** Connections without an answer, and how many of them the driver has closed. */
  held: number;
  heldClosed: number;
}

interface Pipe {
  isHeld: boolean;
  other: Promise<Socket<undefined>> | undefined;
}

async function freezableServer(onEvent: (server: FreezableServer) => void = () => {}): Promise<FreezableServer> {
  const { certPem: cert, keyPem: key } = await newCertificate();
  const answer = () => {
    server.answers++;
    onEvent(server);
    return okClosed;
  };
  const back = serve(answer, { cert, key });
  const front: TCPSocketListener<Pipe> = Bun.listen<Pipe>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { isHeld: server.isFrozen, other: undefined };
        if (server.isFrozen) {
          server.held++;
          onEvent(server);
          return;
        }
        socket.data.other = Bun.connect({
          hostname: "127.0.0.1",
          port: back.port,
          socket: { data: (_, bytes) => void socket.write(bytes), close: () => void socket.end() },
        });
      },
      data: ({ data }, bytes) => {
        const copy = Buffer.from(bytes);
        void data.other?.then((other) => other.write(copy));
      },
      close: ({ data }) => {
        if (data.isHeld) server.heldClosed++;
        void data.other?.then((other) => other.end());
      },
    },
  });
  undo.push(() => front.stop(true));
  const server: FreezableServer = { port: front.port, isFrozen: false, answers: 0, held: 0, heldClosed: 0 };
  return server;
}

/** Up to ten seconds of load on 4 connections. */
function longPlan(scheme: "http" | "https", host: string, port: number): WorkerPlan {
  const backends = [{ name: "web", percent: 100, origin: { scheme, host, port } }];
  const tls = { caFiles: [], insecure: true };
  const load = { requestsPerSecond: 100, durationNs: 10e9, connections: 4, timeoutNs: 200e6 };
  return planFor({ port }, { backends, tls, ...load });
}

function resolveEveryNameTo(...addresses: string[]): void {
  const lookup = spyOn(Bun.dns, "lookup").mockResolvedValue(
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4, ttl: 0 })),
  );
  undo.push(() => lookup.mockRestore());
}

test("a target that vanishes in the handshakes and comes back gets requests again", async () => {
  const stop = new AbortController();
  let answersAtThaw = Number.POSITIVE_INFINITY;
  let closedAtThaw = 0;
  const server = await freezableServer((so) => {
    if (so.answers >= 10 && so.held === 0) so.isFrozen = true;
    if (so.isFrozen && so.held === 12) {
      // Each place was given up, and then again with a request that waited.
      so.isFrozen = false;
      answersAtThaw = so.answers;
      closedAtThaw = so.heldClosed;
    }
    if (so.answers > answersAtThaw + 20) stop.abort();
  });
  const { total } = await drive(longPlan("https", "127.0.0.1", server.port), { stop: stop.signal });
  expect(server.answers - answersAtThaw).toBeGreaterThan(20);
  expect(closedAtThaw).toBeGreaterThanOrEqual(4);
  expect(total.account.failed.tlsHandshake).toBeGreaterThan(0);
  expect(imbalance(total.account)).toBe(0);
});

test("a target that answers no handshake before the start is an error of that kind", async () => {
  const server = await freezableServer();
  server.isFrozen = true;
  await expect(drive(longPlan("https", "127.0.0.1", server.port))).rejects.toMatchObject({
    kind: "tlsHandshake",
    message: expect.stringContaining("no TLS handshake within the timeout"),
  });
});

test.each([true, false])(
  "a target that closes connections in the handshake has none open, certificate verified or not: %p",
  async (insecure) => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end() },
    });
    undo.push(() => server.stop(true));
    const plan = longPlan("https", "127.0.0.1", server.port);
    await expect(drive({ ...plan, tls: { caFiles: [], insecure } })).rejects.toMatchObject({
      kind: "tlsHandshake",
      message: expect.stringContaining("it was closed during the TLS handshake"),
    });
  },
);

test("of connections that were refused and others without an answer the refusal is told", async () => {
  const server = serveNobody();
  undo.push(server.stop);
  await expect(drive(longPlan("https", "127.0.0.1", server.port))).rejects.toMatchObject({
    message: expect.stringContaining("it was closed during the TLS handshake"),
  });
  expect(server.accepted()).toBeGreaterThan(1);
});

test("an address that answers no SYN keeps no place for longer than the timeout", async () => {
  const stop = new AbortController();
  const server = serve((n) => {
    if (n === 40) stop.abort();
    return okClosed;
  });
  undo.push(await silentPort("127.0.0.2", server.port));
  resolveEveryNameTo("127.0.0.1", "127.0.0.2");
  const { total } = await drive(longPlan("http", "web.test", server.port), { stop: stop.signal });
  expect(server.received.length).toBeGreaterThan(40);
  expect(imbalance(total.account)).toBe(0);
});

test("an attempt goes through all addresses, and fails for none that another makes up for", async () => {
  const server = serve(() => okClosed);
  resolveEveryNameTo("::1", "127.0.0.1"); // nobody listens at the first
  const plan = { ...longPlan("http", "localhost", server.port), durationNs: 1e9, timeoutNs: 5e9 };
  const { account } = (await drive({ ...plan, requestsPerSecond: 300 })).total;
  expect(account).toMatchObject({ scheduled: 300, sent: 300, completed: 300, failed: {} });
  expect(imbalance(account)).toBe(0);
});

test("all connections are open at the start where one of several addresses answers", async () => {
  const server = serve(() => ok);
  resolveEveryNameTo("::1", "127.0.0.1");
  const driver = await Driver.create(longPlan("http", "localhost", server.port));
  await driver.open(never);
  expect(driver.condition(0).openConnections).toBe(4);
  expect(server.connections).toBe(4);
});

test("an attempt that no address answers has failed once, for the reason of the last", async () => {
  const server = serve(() => ok);
  resolveEveryNameTo("127.0.0.1", "127.0.0.2", "127.0.0.3");
  const driver = await Driver.create(longPlan("http", "localhost", server.port));
  server.stop();
  const connect = spyOn(Bun, "connect");
  undo.push(() => connect.mockRestore());
  await expect(driver.open(never)).rejects.toMatchObject({ kind: "refused" });
  const tried = connect.mock.calls.map(([options]) => ("hostname" in options ? options.hostname : ""));
  const each = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map((address) => tried.filter((one) => one === address).length);
  expect(each).toEqual([4, 4, 4]);
});

/** Look-ups take until they are let fail. */
function stallEveryLookup(): { fail: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const lookup = spyOn(Bun.dns, "lookup").mockReturnValue(promise);
  undo.push(() => lookup.mockRestore());
  return { fail: () => reject(new Error("SERVFAIL")) };
}

/** Rejects when `promise` is not settled within five seconds. */
function settled(promise: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("not settled")), 5000);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

test("a look-up that DNS does not answer before the start is a dns error after the timeout", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  undo.push(() => process.off("unhandledRejection", note));
  const { fail } = stallEveryLookup();
  const { signal } = new AbortController();
  const driver = await Driver.create(longPlan("http", "web.test", 80));
  await expect(settled(driver.open(signal))).rejects.toMatchObject({
    kind: "dns",
    message: expect.stringContaining("has not answered within the timeout"),
  });
  expect(getEventListeners(signal, "abort")).toBeEmpty();
  fail();
  await new Promise(setImmediate);
  expect(unhandled).toBeEmpty();
});

test("a stop ends the look-up before the start, without an error", async () => {
  stallEveryLookup();
  const stop = new AbortController();
  const driver = await Driver.create({ ...longPlan("http", "web.test", 80), timeoutNs: 60e9 });
  const opening = settled(driver.open(stop.signal));
  setImmediate(() => stop.abort());
  await opening;
  expect(getEventListeners(stop.signal, "abort")).toBeEmpty();
});
