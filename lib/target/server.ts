// The target: a small HTTP/1.1 server on raw sockets, so that every byte it sends is its own decision. One data event
// reads all the requests of a chunk and, without a delay, answers them with one write.
import type { Socket } from "bun";
import { monotonicNs } from "../runtime/clock.ts";
import { DelayLine } from "./delay-line.ts";
import { RequestReader } from "./request-reader.ts";
import { continueResponse, Persistence, responseIndex, responses, Status, statusOf } from "./responses.ts";
import { Tally } from "./tally.ts";

export interface TargetOptions {
  hostname: string;
  /** 0 picks a free port. */
  port: number;
  /** HTTPS with this certificate chain and key, PEM; absent = HTTP. */
  tls?: { cert: string; key: string };
  /** From the end of a request to its response; 0 answers at once. */
  delayNs: number;
  /** Arrival instants kept, 8 bytes each. */
  maxArrivals: number;
}

export interface Target {
  url: string;
  tally: Tally;
  /** Stops accepting and closes every connection at once. */
  stop(): void;
}

/** Unsent bytes from which on a connection is not read until they have left. */
const pauseAtBytes = 256 * 1024;
/** How long a client may leave a connection open that this side has ended; sockets time out in steps of 4 s. */
const lingerSeconds = 4;
const noBytes = new Uint8Array(0);

class Connection {
  readonly socket: Socket<Connection>;
  readonly reader = new RequestReader();
  /** Bytes the socket has not taken yet: `unsent[0, unsentBytes)`. */
  unsent = noBytes;
  unsentBytes = 0;
  /** Responses in the delay line. */
  owed = 0;
  isPaused = false;
  /** No more requests are read: the last response said so, or the client has ended its side. */
  isEnding = false;
  isEndedByPeer = false;
  isShutDown = false;
  isClosed = false;

  constructor(socket: Socket<Connection>) {
    this.socket = socket;
  }
}

/** Listens and serves until stopped. Throws what `Bun.listen` throws, with the system's `code`, when it cannot listen. */
export function startTarget(options: TargetOptions): Target {
  const tally = new Tally(options.maxArrivals);
  const delayLine = options.delayNs > 0 ? new DelayLine(options.delayNs, sendOwed) : undefined;
  /** The responses to one chunk, until they are written together. */
  const batch = new Uint8Array(64 * 1024);
  let batchBytes = 0;

  function read(connection: Connection, chunk: Uint8Array): void {
    tally.bytesReceived += chunk.length;
    const nowNs = monotonicNs();
    const { reader } = connection;
    let at = 0;
    while (at < chunk.length && !connection.isEnding) {
      if (reader.bodyBytesLeft === 0) {
        at = reader.readHead(chunk, at);
        if (!reader.isComplete) break;
        if (reader.status === Status.Ok) tally.addRequest(reader, nowNs);
      }
      at = reader.skipBody(chunk, at);
      if (reader.bodyBytesLeft > 0) askForBody(connection);
      else answer(connection, nowNs);
    }
    flush(connection);
    finish(connection);
  }

  /** Asks once, and never ahead of a delayed response: then the client sends its body unasked, as RFC 9110 lets it. */
  function askForBody(connection: Connection): void {
    if (connection.reader.expectsContinue && connection.owed === 0) append(connection, continueResponse);
    connection.reader.expectsContinue = false;
  }

  function answer(connection: Connection, nowNs: number): void {
    const { status, isHead, persistence } = connection.reader;
    const response = responseIndex(status, isHead, persistence);
    connection.isEnding = persistence === Persistence.Closed;
    if (delayLine === undefined) {
      tally.responses[status]!++;
      append(connection, responses[response]!);
    } else {
      connection.owed++;
      delayLine.push(connection, response, nowNs);
    }
  }

  function sendOwed(connection: Connection, response: number): void {
    connection.owed--;
    if (connection.isClosed) return;
    tally.responses[statusOf(response)]!++;
    const bytes = responses[response]!;
    write(connection, bytes, bytes.length);
    finish(connection);
  }

  function append(connection: Connection, bytes: Uint8Array): void {
    if (batchBytes + bytes.length > batch.length) flush(connection);
    batch.set(bytes, batchBytes);
    batchBytes += bytes.length;
  }

  function flush(connection: Connection): void {
    if (batchBytes === 0) return;
    write(connection, batch, batchBytes);
    batchBytes = 0;
  }

  function write(connection: Connection, bytes: Uint8Array, length: number): void {
    let sent = 0;
    if (connection.unsentBytes === 0) {
      sent = connection.socket.write(bytes, 0, length);
      if (sent < 0) return; // closed; the close event follows
      tally.bytesSent += sent;
    }
    if (sent < length) keepUnsent(connection, bytes.subarray(sent, length));
  }

  function keepUnsent(connection: Connection, rest: Uint8Array): void {
    const needed = connection.unsentBytes + rest.length;
    if (needed > connection.unsent.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(connection.unsent.subarray(0, connection.unsentBytes));
      connection.unsent = grown;
    }
    connection.unsent.set(rest, connection.unsentBytes);
    connection.unsentBytes = needed;
    if (needed >= pauseAtBytes && !connection.isPaused) {
      connection.isPaused = true;
      connection.socket.pause();
    }
  }

  function drain(connection: Connection): void {
    const { socket, unsent, unsentBytes } = connection;
    if (unsentBytes > 0) {
      const sent = socket.write(unsent, 0, unsentBytes);
      if (sent < 0) return;
      tally.bytesSent += sent;
      unsent.copyWithin(0, sent, unsentBytes);
      connection.unsentBytes -= sent;
      if (connection.unsentBytes > 0) return;
      connection.unsent = noBytes;
    }
    if (connection.isPaused) {
      connection.isPaused = false;
      socket.resume();
    }
    finish(connection);
  }

  /**
   * Ends the connection once its last response has left. Only the sending side is ended while the client may still be
   * sending: closing on unread bytes resets the connection, which can take the response from the client (RFC 9112 §9.6).
   */
  function finish(connection: Connection): void {
    if (!connection.isEnding || connection.owed > 0 || connection.unsentBytes > 0 || connection.isClosed) return;
    if (connection.isEndedByPeer) connection.socket.end();
    else if (!connection.isShutDown) {
      connection.isShutDown = true;
      connection.socket.shutdown();
      connection.socket.timeout(lingerSeconds);
    }
  }

  const listener = Bun.listen<Connection>({
    hostname: options.hostname,
    port: options.port,
    ...(options.tls && { tls: options.tls }),
    allowHalfOpen: true,
    socket: {
      open(socket) {
        socket.data = new Connection(socket);
        tally.connections++;
      },
      data(socket, chunk) {
        read(socket.data, chunk);
      },
      drain(socket) {
        drain(socket.data);
      },
      end(socket) {
        socket.data.isEndedByPeer = true;
        socket.data.isEnding = true;
        finish(socket.data);
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
  return { url: `${scheme}://${host}:${listener.port}`, tally, stop: () => listener.stop(true) };
}
