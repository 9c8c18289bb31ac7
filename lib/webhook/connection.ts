// One connection of the endpoint: a TCP socket, and the TLS socket around it unless HTTP is plain.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { ClientWatch, type Patience, type Sight } from "./slow-clients.ts";

export class Connection {
  /** What HTTP is spoken on. */
  readonly socket: Socket | TLSSocket;
  readonly #tcp: Socket;
  readonly #watch: ClientWatch;
  /** Responses that are not sent whole, in the order of their requests. */
  readonly #responses = new Set<ServerResponse>();

  constructor(tcp: Socket, socket: Socket | TLSSocket, acceptedAtMs: number) {
    this.#tcp = tcp;
    this.socket = socket;
    this.#watch = new ClientWatch(acceptedAtMs);
  }

  get idleSinceMs(): number | undefined {
    return this.#watch.idleSinceMs;
  }

  /** Whether a response has begun that is not at its end: nothing else may be written. */
  get isAnswering(): boolean {
    return this.#responses.values().some((response) => response.headersSent);
  }

  /** Whether a request has begun whose response the client does not have yet. */
  get isAsked(): boolean {
    return this.#watch.isAsked(this.#sight());
  }

  began(response: ServerResponse): void {
    this.#responses.add(response);
  }

  ended(response: ServerResponse, nowMs: number): void {
    this.#responses.delete(response);
    this.#watch.answered(this.#sight(), nowMs);
  }

  /** Has the client told, with the responses that have not begun, that the connection is over. */
  announceEnd(): void {
    for (const response of this.#responses) {
      if (!response.headersSent) response.setHeader("Connection", "close");
    }
  }

  /** Why it is to be cut, if it is. */
  look(nowMs: number, patience: Patience): "slow" | "idle" | undefined {
    return this.#watch.look(this.#sight(), nowMs, patience);
  }

  cut(): void {
    this.socket.destroy();
    this.#tcp.destroy();
  }

  #sight(): Sight {
    const { socket } = this;
    return {
      // Null until the handshake is done; getProtocol() names a version before.
      isOpen: "alpnProtocol" in socket ? socket.alpnProtocol !== null : socket.bytesRead > 0,
      exchanges: this.#responses.size,
      receivedBytes: socket.bytesRead,
      unsentBytes: socket.writableLength,
    };
  }
}
