// The target: a small HTTP/1.1 server on raw sockets, so that every byte it sends is its own decision. One data event
// reads all the requests of a chunk and, unless they take time, answers them with one write.
//
//     chunk ─ RequestReader ─ Replies.choose ──┬── at once ──────────────┬─ batch ──── Outbox ─ socket
//                                              └─ Station ─ ReleaseLine ─┘  or segments
import { monotonicNs } from "../runtime/clock.ts";
import { Connection } from "./connection.ts";
import { Ending } from "./fault.ts";
import { Outbox } from "./outbox.ts";
import { ReleaseLine } from "./release-line.ts";
import { Replies, type RepliesOptions, type Reply } from "./replies.ts";
import { continueResponse, Status } from "./response.ts";
import { cutOffsets } from "./segments.ts";
import { type Stall, Stalls } from "./stalls.ts";
import { Station } from "./station.ts";
import { Tally } from "./tally.ts";

export interface TargetOptions extends RepliesOptions {
  hostname: string;
  /** 0 picks a free port. */
  port: number;
  /** HTTPS with this certificate chain and key, PEM; absent = HTTP. */
  tls?: { cert: string; key: string };
  /** What each request takes of a server; 0 answers at once. */
  serviceNs: number;
  /** Requests served at the same time, the others queue; Infinity = all of them. */
  servers: number;
  /** In the order of time, none beginning before another's end. */
  stalls: readonly Stall[];
  /** Send each response in several segments. */
  isSplit: boolean;
  /** Arrival instants kept, 8 bytes each. */
  maxArrivals: number;
}

export interface Target {
  url: string;
  tally: Tally;
  replies: Replies;
  /** Stops accepting and closes every connection at once. */
  stop(): void;
}

/** Between two segments, so that they arrive apart. */
const restNs = 1e6;

/** Listens and serves until stopped. Throws what `Bun.listen` throws, with the system's `code`, when it cannot listen. */
export function startTarget(options: TargetOptions): Target {
  const tally = new Tally(options.maxArrivals);
  const replies = new Replies(options);
  const stalls = new Stalls(options.stalls);
  const station = options.serviceNs > 0 ? new Station(options.serviceNs, options.servers) : undefined;
  const departures = new ReleaseLine<Connection, Reply>(stalls.nowNs, depart);
  const rests = new ReleaseLine<Connection>(stalls.nowNs, endRest);
  /** The replies to one chunk, until they are sent together. */
  const batch = new Uint8Array(64 * 1024);
  let batchBytes = 0;
  let splitResponses = 0;

  function read(connection: Connection, chunk: Uint8Array): void {
    tally.bytesReceived += chunk.length;
    const nowNs = monotonicNs();
    const { reader } = connection;
    let at = 0;
    while (at < chunk.length && connection.ending === Ending.Kept) {
      if (reader.bodyBytesLeft === 0) {
        at = reader.readHead(chunk, at);
        if (!reader.isComplete) break;
        if (reader.status === Status.Ok) {
          tally.addRequest(reader, nowNs);
          if (tally.requests === 1) stalls.begin(nowNs);
        }
        connection.reply = replies.choose(reader, tally.requests);
      }
      at = reader.skipBody(chunk, at);
      if (reader.bodyBytesLeft > 0) askForBody(connection);
      else answer(connection, nowNs);
    }
    flush(connection);
    connection.finish();
  }

  /** Asks once, and never ahead of an owed response: then the client sends its body unasked, as RFC 9110 lets it. */
  function askForBody(connection: Connection): void {
    if (connection.reader.expectsContinue && connection.owed === 0) append(connection, continueResponse);
    connection.reader.expectsContinue = false;
  }

  function answer(connection: Connection, nowNs: number): void {
    const reply = connection.reply as Reply;
    connection.ending = reply.ending;
    if (station === undefined) {
      give(connection, reply);
    } else {
      connection.owed++;
      departures.push(station.departureNs(nowNs - stalls.frozenNs), connection, reply);
    }
  }

  function depart(connection: Connection, reply: Reply): void {
    connection.owed--;
    if (connection.isClosed) return;
    give(connection, reply);
    flush(connection);
    connection.finish();
  }

  function give(connection: Connection, reply: Reply): void {
    reply.count++;
    if (options.isSplit) sendSplit(connection.outbox, reply);
    else append(connection, reply.bytes);
    if (reply.ending !== Ending.Reset || reply.bytes.length === 0) return;
    flush(connection);
    connection.outbox.rest(); // a reset would overtake what the client has not read
  }

  function sendSplit(outbox: Outbox, { bytes, headBytes }: Reply): void {
    let from = 0;
    for (const cut of cutOffsets(bytes.length, headBytes, splitResponses++)) {
      outbox.send(bytes.subarray(from, cut));
      outbox.rest();
      from = cut;
    }
    outbox.send(bytes.subarray(from));
  }

  function endRest(connection: Connection): void {
    if (connection.isClosed) return;
    connection.outbox.endRest();
    connection.finish();
  }

  function append(connection: Connection, bytes: Uint8Array): void {
    if (batchBytes + bytes.length > batch.length) flush(connection);
    if (bytes.length > batch.length) {
      connection.outbox.send(bytes);
      return;
    }
    batch.set(bytes, batchBytes);
    batchBytes += bytes.length;
  }

  function flush(connection: Connection): void {
    if (batchBytes === 0) return;
    connection.outbox.sendCopy(batch, batchBytes);
    batchBytes = 0;
  }

  const listener = Bun.listen<Connection>({
    hostname: options.hostname,
    port: options.port,
    ...(options.tls && { tls: options.tls }),
    allowHalfOpen: true,
    socket: {
      open(socket) {
        const outbox = new Outbox(socket, tally, () => rests.push(stalls.nowNs() + restNs, connection));
        const connection = new Connection(socket, outbox);
        socket.data = connection;
        tally.connections++;
      },
      data(socket, chunk) {
        read(socket.data, chunk);
      },
      drain(socket) {
        socket.data.outbox.sendOn();
        socket.data.finish();
      },
      end(socket) {
        socket.data.endByPeer();
      },
      timeout(socket) {
        socket.terminate();
      },
      error(socket) {
        tally.connectionErrors++;
        socket.terminate();
      },
      close(socket) {
        if (socket.data) socket.data.isClosed = true;
      },
    },
  });
  const scheme = options.tls ? "https" : "http";
  const host = options.hostname.includes(":") ? `[${options.hostname}]` : options.hostname;
  const url = `${scheme}://${host}:${listener.port}`;
  const stop = () => {
    stalls.cancel();
    listener.stop(true);
  };
  return { url, tally, replies, stop };
}
