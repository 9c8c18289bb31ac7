// The HTTPS server under the endpoint. One TCP listener accepts for as long as the process serves; each connection gets
// the TLS context that is current when it is accepted, and is handed to an HTTP server that listens nowhere itself:
//
//   node:net listener ── socket ──▶ TLSSocket(current context) ──▶ node:http, by emit("connection")
//
// So a new certificate is one assignment: no listener is replaced, no connection is reset.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { nowMs, sleep } from "../runtime/clock.ts";
import { Connection } from "./connection.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import { type Refusal, refuseRaw } from "./refusal.ts";
import { headMaxBytes } from "./request-head.ts";

export interface Address {
  hostname: string;
  /** 0 takes a free one. */
  port: number;
}

export type Exchange = (request: IncomingMessage, response: ServerResponse, isWaiting: boolean) => void;

export interface ServerOptions {
  metrics: AdmissionMetrics;
  /** HTTP without TLS. */
  isPlain: boolean;
  limits: ConnectionLimits;
  /** Answers a request; `isWaiting` when the client sends the body only after 100 Continue. */
  exchange: Exchange;
  /** Answers an Expect field that is not 100-continue. */
  unexpected: (request: IncomingMessage, response: ServerResponse) => void;
  /** What cannot be read as HTTP, by the parser's error code. */
  malformed: (code: string) => Refusal;
}

/** What the server shows to be who it is; `clientCaPem`: and whom it believes, of clients. */
export interface Identity {
  certPem: string;
  keyPem: string;
  clientCaPem?: string | undefined;
}

/** What a sweep may be late by. */
const graceMs = 2000;

export class WebhookServer {
  readonly #options: ServerOptions;
  readonly #connections: Connections;
  readonly #tcp: TcpServer;
  readonly #http: ReturnType<typeof createHttpServer>;
  #tls: { context: SecureContext; asksForCertificate: boolean } | undefined;
  #isDraining = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#connections = new Connections(options.limits, options.metrics);
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#http = this.#createHttp();
  }

  /** Resolves with the port. Rejects with the system's error when it cannot listen. */
  listen({ hostname, port }: Address): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tcp.once("error", reject);
      this.#tcp.listen({ host: hostname, port, backlog: 1024 }, () => {
        this.#tcp.removeListener("error", reject);
        resolve((this.#tcp.address() as AddressInfo).port);
      });
    });
  }

  /** For connections accepted from now on. Throws when the PEM texts cannot be used. */
  useIdentity({ certPem, keyPem, clientCaPem }: Identity): void {
    const trust = clientCaPem === undefined ? {} : { ca: clientCaPem };
    this.#tls = {
      context: createSecureContext({ cert: certPem, key: keyPem, minVersion: "TLSv1.2", ...trust }),
      asksForCertificate: clientCaPem !== undefined,
    };
  }

  get hasIdentity(): boolean {
    return this.#tls !== undefined || this.#options.isPlain;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Serves on for `durationMs`, or until `signal`, with the last response on each connection; then accepts no more, ends
   * what is under way, and closes.
   */
  async drain(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.#isDraining = true;
    this.#connections.announceEnd();
    await sleep(durationMs, signal);
    this.#tcp.close();
    this.#connections.closeUnasked();
    const deadlineMs = nowMs() + this.#options.limits.exchangeMs + graceMs;
    while (this.#connections.count > 0 && nowMs() < deadlineMs) await sleep(20);
    this.stop();
  }

  /** Closes everything at once. */
  stop(): void {
    this.#isDraining = true;
    this.#tcp.close();
    this.#connections.stop();
  }

  #accept(tcp: Socket): void {
    tcp.on("error", () => {}); // resets: the close that follows is what counts
    if (!this.hasIdentity || !this.#connections.hasRoom()) {
      tcp.destroy();
      return;
    }
    const connection = new Connection(tcp, this.#secured(tcp), nowMs());
    this.#connections.add(connection);
    this.#http.emit("connection", connection.socket);
  }

  #secured(tcp: Socket): Socket | TLSSocket {
    if (this.#tls === undefined || this.#options.isPlain) return tcp;
    const { context, asksForCertificate } = this.#tls;
    // Without a certificate, or with a wrong one, the handshake goes on: the request is what is refused, in words.
    return new TLSSocket(tcp, {
      isServer: true,
      secureContext: context,
      requestCert: asksForCertificate,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
  }

  #createHttp(): ReturnType<typeof createHttpServer> {
    const server = createHttpServer({ maxHeaderSize: headMaxBytes });
    // The sweep is what ends connections; these clocks do not run on sockets that are handed over, and must not begin to.
    Object.assign(server, { timeout: 0, keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 });
    const { exchange, unexpected } = this.#options;
    server.on("request", (request, response) =>
      this.#begin(request, response, () => exchange(request, response, false)),
    );
    server.on("checkContinue", (request, response) => {
      this.#begin(request, response, () => exchange(request, response, true));
    });
    server.on("checkExpectation", (request, response) => {
      this.#begin(request, response, () => unexpected(request, response));
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      this.#refuseBytes(error.code ?? "", socket as Socket),
    );
    return server;
  }

  #begin(request: IncomingMessage, response: ServerResponse, answer: () => void): void {
    const connection = this.#connections.of(request.socket);
    if (connection === undefined) return; // cut, with this request in the last bytes that were read
    connection.began(response);
    response.once("close", () => connection.ended(response, nowMs()));
    if (this.#isDraining) connection.announceEnd();
    answer();
  }

  #refuseBytes(code: string, socket: Socket): void {
    const connection = this.#connections.of(socket);
    if (connection === undefined) return;
    if (!code.startsWith("HPE_")) this.#connections.cut(connection, code.startsWith("ERR_SSL_") ? "tls" : "reset");
    else if (connection.isAnswering) socket.end(() => socket.destroy());
    else refuseRaw(socket, this.#options.malformed(code));
  }
}
