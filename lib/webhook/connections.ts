// All open connections: how many there may be, and the sweep that cuts those of slow and absent clients.
import { nowMs } from "../runtime/clock.ts";
import type { Connection } from "./connection.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import { type Patience, patience } from "./slow-clients.ts";

export interface ConnectionLimits extends Patience {
  count: number;
}

export const connectionLimits: ConnectionLimits = { ...patience, count: 4096 };

const sweepIntervalMs = 1000;

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #metrics: AdmissionMetrics;
  readonly #open = new Map<object, Connection>();
  readonly #timer: NodeJS.Timeout;
  #isClosing = false;

  constructor(limits: ConnectionLimits, metrics: AdmissionMetrics) {
    this.#limits = limits;
    this.#metrics = metrics;
    const { exchangeMs, idleMs } = limits;
    this.#timer = setInterval(() => this.#sweep(), Math.min(sweepIntervalMs, exchangeMs / 4, idleMs / 4));
  }

  get count(): number {
    return this.#open.size;
  }

  /** The connection whose HTTP is spoken on this socket. */
  of(socket: object | null): Connection | undefined {
    return socket === null ? undefined : this.#open.get(socket);
  }

  /** Whether there is room for one more; made, where it can be, by closing the one that has been idle for longest. */
  hasRoom(): boolean {
    if (this.#open.size < this.#limits.count) return true;
    let longest: Connection | undefined;
    for (const connection of this.#open.values()) {
      const { idleSinceMs = Number.POSITIVE_INFINITY } = connection;
      if (idleSinceMs < (longest?.idleSinceMs ?? Number.POSITIVE_INFINITY)) longest = connection;
    }
    this.#metrics.cut.inc({ reason: "crowded" });
    if (longest !== undefined) this.#remove(longest);
    return longest !== undefined;
  }

  add(connection: Connection): void {
    this.#open.set(connection.socket, connection);
    connection.socket.once("close", () => this.#forget(connection));
    this.#metrics.connections.set(this.#open.size);
  }

  cut(connection: Connection, reason: string): void {
    this.#metrics.cut.inc({ reason });
    this.#remove(connection);
  }

  announceEnd(): void {
    for (const connection of this.#open.values()) connection.announceEnd();
  }

  /** From now on a connection is closed when nothing is asked on it. */
  closeUnasked(): void {
    this.#isClosing = true;
    this.#sweep();
  }

  /** Cuts all that are left. */
  stop(): void {
    clearInterval(this.#timer);
    for (const connection of this.#open.values()) this.#remove(connection);
  }

  #sweep(): void {
    const now = nowMs();
    for (const connection of this.#open.values()) {
      const reason = connection.look(now, this.#limits);
      if (reason !== undefined) this.cut(connection, reason);
      else if (this.#isClosing && !connection.isAsked) this.#remove(connection);
    }
  }

  #remove(connection: Connection): void {
    connection.cut();
    this.#forget(connection);
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection.socket);
    this.#metrics.connections.set(this.#open.size);
  }
}
