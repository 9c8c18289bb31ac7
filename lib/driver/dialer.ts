// Opens connections to the target, and turns what sockets say into the few events that a driver has to know.
// A connection counts as open when a request may be sent: over TLS, after chain and host name have been verified.
import type { SocketHandler } from "bun";
import type { PlannedBackend, WorkerPlan } from "../load/worker-plan.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { Addresses } from "./addresses.ts";
import { type Attempt, type Connection, ConnectionState } from "./connection.ts";
import { fromSocketError, TargetError } from "./target-error.ts";
import { type TlsOptions, tlsOptions, verifyPeer } from "./tls.ts";

/** Called with connections whose present attempt it is about; events of former attempts are dropped. */
export interface DialerEvents {
  opened(connection: Connection): void;
  failed(connection: Connection, error: TargetError): void;
  received(connection: Connection, piece: Uint8Array): void;
  drained(connection: Connection): void;
  /** An open connection has ended: in order, or with an error. */
  closed(connection: Connection, error: Error | undefined): void;
}

export class Dialer {
  readonly #isInsecure: boolean;
  readonly #endpoint: { host: string; port: number };
  readonly #addresses: Addresses;
  readonly #tls: TlsOptions | undefined;
  readonly #events: DialerEvents;
  readonly #handler: SocketHandler<Attempt>;

  private constructor(
    backend: PlannedBackend,
    isInsecure: boolean,
    addresses: Addresses,
    tls: TlsOptions | undefined,
    events: DialerEvents,
  ) {
    this.#isInsecure = isInsecure;
    this.#endpoint = backend.connectTo ?? backend.origin;
    this.#addresses = addresses;
    this.#tls = tls;
    this.#events = events;
    this.#handler = this.#socketHandler();
  }

  /** Rejects when a file for TLS cannot be read. The addresses are found by `refresh`. */
  static async create(plan: WorkerPlan, backend: PlannedBackend, events: DialerEvents): Promise<Dialer> {
    const addresses = new Addresses((backend.connectTo ?? backend.origin).host);
    return new Dialer(backend, plan.tls.insecure, addresses, await tlsOptions(plan, backend), events);
  }

  /** Finds the addresses anew. Rejects with a TargetError of kind `dns`, and the former ones stay. */
  async refresh(): Promise<void> {
    await this.#addresses.resolve();
  }

  /** For a `refresh` that has taken too long. */
  lookupTimeout(): TargetError {
    return new TargetError("dns", `Cannot resolve "${this.#endpoint.host}": DNS has not answered within the timeout`);
  }

  /** Whether the address that `connection` has or is being opened to is still one of the target's. */
  isCurrent({ attempt }: Connection): boolean {
    return attempt === undefined || this.#addresses.has(attempt.address);
  }

  /**
   * Begins to open a closed connection; `opened` or `failed` follows. The addresses are tried one after the other, from
   * the one whose turn it is, until TCP is open to one (RFC 6724 §1): a name may have some where nobody listens.
   */
  connect(connection: Connection): void {
    const address = this.#addresses.next();
    connection.state = ConnectionState.Connecting;
    const attempt = {
      connection,
      address: address ?? "",
      othersLeft: this.#addresses.count - 1,
      beganNs: monotonicNs(),
    };
    if (address !== undefined) {
      this.#try(attempt);
      return;
    }
    connection.attempt = attempt;
    const error = new TargetError("dns", `Cannot resolve "${this.#endpoint.host}": must be a name that DNS knows`);
    setImmediate(() => this.#fail(attempt, error));
  }

  #try(attempt: Attempt): void {
    attempt.connection.attempt = attempt;
    Bun.connect<Attempt>({
      hostname: attempt.address,
      port: this.#endpoint.port,
      socket: this.#handler,
      data: attempt,
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
    }).catch((error: unknown) => this.#unreachable(attempt, error));
  }

  /**
   * Ends the attempt at a connection that is still being opened; `failed` follows at once. Bun cannot close a socket
   * whose TCP is not open yet: the operating system does, when it gives up too, some two minutes after the beginning.
   */
  giveUp({ attempt, socket }: Connection): void {
    if (attempt === undefined) return;
    const [kind, what] =
      socket === undefined ? (["connect", "answer"] as const) : (["tlsHandshake", "TLS handshake"] as const);
    this.#fail(attempt, new TargetError(kind, `Cannot connect to "${this.where()}": no ${what} within the timeout`));
  }

  /** `host:port` of the target, for messages. */
  where(): string {
    const { host, port } = this.#endpoint;
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** The address has not let TCP be opened: another may. */
  #unreachable(attempt: Attempt, error: unknown): void {
    if (attempt.connection.attempt !== attempt) return;
    const other = attempt.othersLeft > 0 ? this.#addresses.after(attempt.address) : undefined;
    if (other === undefined) this.#fail(attempt, fromSocketError(error, this.where()));
    else this.#try({ ...attempt, address: other, othersLeft: attempt.othersLeft - 1 });
  }

  #fail(attempt: Attempt, error: TargetError): void {
    const { connection } = attempt;
    if (connection.attempt !== attempt) return;
    connection.abandon();
    this.#events.failed(connection, error);
  }

  #open(connection: Connection): void {
    connection.state = ConnectionState.Idle;
    this.#events.opened(connection);
  }

  #socketHandler(): SocketHandler<Attempt> {
    const { received } = this.#events;
    return {
      binaryType: "buffer", // the cheapest of Bun's three
      open: (socket) => {
        const { connection } = socket.data;
        if (connection.attempt !== socket.data) {
          socket.terminate();
          return;
        }
        connection.socket = socket;
        if (this.#tls === undefined) this.#open(connection);
      },
      handshake: (socket, isAuthorized, verification) => {
        const { connection } = socket.data;
        if (connection.attempt !== socket.data) return;
        const error = this.#handshakeError(socket, isAuthorized, verification);
        // TLS 1.2 lets a server ask for another handshake at any time: that opens nothing, but it may end what is open.
        if (connection.state !== ConnectionState.Connecting) {
          if (error !== undefined) this.#events.closed(connection, error);
        } else if (error === undefined) this.#open(connection);
        else this.#fail(socket.data, error);
      },
      data: (socket, piece) => {
        const attempt = socket.data; // each look at it is a call into Bun
        if (attempt.connection.attempt === attempt) received(attempt.connection, piece);
      },
      drain: (socket) => {
        const { connection } = socket.data;
        if (connection.attempt === socket.data) this.#events.drained(connection);
      },
      close: (socket, error) => this.#close(socket.data, error),
      error: (socket, error) => this.#close(socket.data, error),
      connectError: (socket, error) => this.#unreachable(socket.data, error),
    };
  }

  #handshakeError(
    socket: Parameters<typeof verifyPeer>[0],
    isAuthorized: boolean,
    verification: Error | null,
  ): TargetError | undefined {
    const { code, message = "" } = (verification ?? {}) as Partial<NodeJS.ErrnoException>;
    if (code === "EPROTO" || (!isAuthorized && verification === null)) {
      const reason = message.endsWith("WRONG_VERSION_NUMBER") ? "the answer is no TLS" : message || "no reason given";
      const words = `TLS handshake failed: ${reason}, must be a port that speaks TLS`;
      return new TargetError("tlsHandshake", `Cannot connect to "${this.where()}": ${words}`);
    }
    if (code === "ECONNRESET") return this.#closedInHandshake();
    return this.#isInsecure ? undefined : verifyPeer(socket, (this.#tls as TlsOptions).serverName, verification);
  }

  #close(attempt: Attempt, error: Error | undefined): void {
    const { connection } = attempt;
    if (connection.attempt !== attempt) return;
    if (connection.state !== ConnectionState.Connecting) {
      this.#events.closed(connection, error);
    } else if (this.#tls === undefined) {
      this.#fail(attempt, new TargetError("connect", `Cannot connect to "${this.where()}": it was closed at once`));
    } else {
      this.#fail(attempt, this.#closedInHandshake());
    }
  }

  #closedInHandshake(): TargetError {
    return new TargetError(
      "tlsHandshake",
      `Cannot connect to "${this.where()}": it was closed during the TLS handshake`,
    );
  }
}
