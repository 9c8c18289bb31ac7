// Servers that misbehave by the byte, and drivers against them.
import { afterEach } from "bun:test";
import type { Socket, TCPSocketListener, TLSOptions } from "bun";
import { Driver } from "../../lib/driver/driver.ts";
import type { PlannedBackend, PlannedRequest, WorkerPlan } from "../../lib/load/worker-plan.ts";
import { monotonicNs, sleep } from "../../lib/runtime/clock.ts";
import { allRecordings, mergeRecordings, type Recording } from "../../lib/stats/recording.ts";

export const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const servers: TCPSocketListener<undefined>[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

export interface Server {
  port: number;
  /** Connections accepted so far. */
  connections: number;
  sockets: Socket<undefined>[];
  /** What came in, in the order it came. */
  received: string[];
  stop(): void;
}

/**
 * A server that does with request number n (from 0) what `behave` says: answer bytes, close, reset, or silence; an
 * answer that ends in "cut" is closed there instead, one that ends in "closed" is closed afterwards.
 */
export function serve(behave: (n: number, server: Server) => string, tls?: TLSOptions): Server {
  let n = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    ...(tls === undefined ? {} : { tls }),
    socket: {
      open: (socket) => {
        server.connections++;
        server.sockets.push(socket);
      },
      data: (socket, bytes) => {
        server.received.push(bytes.toString());
        answer(socket, behave(n++, server));
      },
    },
  });
  servers.push(listener);
  const stop = () => listener.stop(true);
  const server: Server = { port: listener.port, connections: 0, sockets: [], received: [], stop };
  return server;
}

function answer(socket: Socket<undefined>, text: string): void {
  if (text === "close") socket.end();
  else if (text === "reset") socket.terminate();
  else if (text.endsWith("cut")) socket.end(text.slice(0, -3));
  else if (text.endsWith("closed")) socket.end(text.slice(0, -6));
  else if (text !== "silence") socket.write(text);
}

/** A server that closes its first connection, and leaves the others without a byte. */
export function serveNobody() {
  let accepted = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        if (accepted++ === 0) socket.end();
      },
      data: () => {},
    },
  });
  return { port: listener.port, accepted: () => accepted, stop: () => listener.stop(true) };
}

export async function eventually(isSo: () => boolean, deadlineMs = 20_000): Promise<void> {
  const deadlineNs = monotonicNs() + deadlineMs * 1e6;
  while (!isSo()) {
    if (monotonicNs() > deadlineNs) throw new Error(`it is not so within ${deadlineMs} ms`);
    await sleep(5);
  }
}

export function get(path: string): PlannedRequest {
  return { method: "GET", path, headers: [], weight: 1 };
}

export function backend(name: string, percent: number, port: number): PlannedBackend {
  return { name, percent, origin: { scheme: "http", host: "127.0.0.1", port } };
}

/** 200 requests in 200 ms on 8 connections. */
export function planFor({ port }: { port: number }, changes: Partial<WorkerPlan> = {}): WorkerPlan {
  return {
    generation: 1,
    worker: { index: 0, count: 1 },
    backends: [backend("web", 100, port)],
    tls: { caFiles: [], insecure: false },
    requests: [get("/a"), get("/b")],
    requestsPerSecond: 1000,
    durationNs: 200e6,
    arrivals: "Constant",
    seed: 1,
    connections: 8,
    timeoutNs: 1e9,
    pacing: "balanced",
    barrier: false,
    ...changes,
  };
}

export interface Driven {
  driver: Driver;
  total: Recording;
  paths: Recording[];
}

export async function drive(plan: WorkerPlan, options: { stop?: AbortSignal; startNs?: number } = {}): Promise<Driven> {
  const { stop = new AbortController().signal } = options;
  const driver = await Driver.create(plan);
  await driver.open(stop);
  await driver.run(options.startNs ?? monotonicNs(), stop, () => {});
  const paths = allRecordings({ backends: driver.recordings() });
  return { driver, total: mergeRecordings(paths), paths };
}
