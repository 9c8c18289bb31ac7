// The connections to one backend: opened before the run, opened again when they end or are worn, handed out in the order
// in which they became free. Their number follows the plan: more are opened in the background, those too many are closed
// once they carry no request.
import type { PlannedBackend, WorkerPlan } from "../load/worker-plan.ts";
import { monotonicNs } from "../runtime/clock.ts";
import { type Attempt, Connection, ConnectionState } from "./connection.ts";
import { Dialer, type DialerEvents } from "./dialer.ts";
import { FreeQueue } from "./free-queue.ts";
import type { GeneratorWatch } from "./generator-watch.ts";
import { TargetError } from "./target-error.ts";

/** What happens to connections that carry a request or wait for one. */
export interface PoolEvents extends Pick<DialerEvents, "received" | "drained"> {
  /** The connection is open; its request, if it has one, has been waiting for that. */
  opened(connection: Connection, nowNs: number): void;
  /** The connection could not be opened for the request that waits for it. */
  failed(connection: Connection, error: TargetError): void;
  /** The connection has ended while it carried a request: in order, or with an error. */
  ended(connection: Connection, error: Error | undefined): void;
  /** Whether there will be more requests. */
  isNeeded(nowNs: number): boolean;
}

export class ConnectionPool {
  #connections: Connection[] = [];
  /** Free connections: those that were open when they came, and those that have to be opened. */
  #open = new FreeQueue(0);
  #closed = new FreeQueue(0);
  #timeoutNs: number;
  #lifetimeNs: number;
  readonly #events: PoolEvents;
  readonly #watch: GeneratorWatch;
  #dialer!: Dialer;
  #size = 0;
  #isDialing = false;
  #hasBegun = false;
  /** Told of each connection's first outcome while all are being opened. */
  #onOpened: ((error: TargetError | undefined) => void) | undefined;

  private constructor(plan: WorkerPlan, watch: GeneratorWatch, events: PoolEvents) {
    this.#timeoutNs = plan.timeoutNs;
    this.#lifetimeNs = lifetimeNs(plan);
    this.#events = events;
    this.#watch = watch;
  }

  /** No connection yet: `follow` and `resize` say how many. Rejects when a file for TLS cannot be read. */
  static async create(
    plan: WorkerPlan,
    backend: PlannedBackend,
    watch: GeneratorWatch,
    events: PoolEvents,
  ): Promise<ConnectionPool> {
    const pool = new ConnectionPool(plan, watch, events);
    pool.#dialer = await Dialer.create(plan, backend, {
      opened: (connection) => pool.#opened(connection),
      failed: (connection, error) => pool.#failed(connection, error),
      received: events.received,
      drained: events.drained,
      closed: (connection, error) => {
        if (connection.state === ConnectionState.Busy) events.ended(connection, error);
        else pool.reopen(connection);
      },
    });
    return pool;
  }

  /** Every connection, whatever its state. */
  get all(): readonly Connection[] {
    return this.#connections;
  }

  /** How many are free. */
  get freeCount(): number {
    return this.#open.length + this.#closed.length;
  }

  /** How many are open. */
  get openCount(): number {
    return this.#connections.filter(({ state }) => state === ConnectionState.Idle || state === ConnectionState.Busy)
      .length;
  }

  /** Whether connections have ever been opened. */
  get isDialing(): boolean {
    return this.#isDialing;
  }

  /** Follows the plan in all but the number of connections. */
  follow(plan: WorkerPlan): void {
    this.#timeoutNs = plan.timeoutNs;
    if (this.#lifetimeNs === lifetimeNs(plan)) return;
    this.#lifetimeNs = lifetimeNs(plan);
    this.#spreadLifetimes(monotonicNs());
  }

  /** Goes on with `size` connections. Those too many are closed, the free ones first and the others after their request. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#size = size;
    const kept = this.#connections.filter(({ isRetired }) => !isRetired);
    const freeFirst = kept.toSorted((a, b) => Number(a.request >= 0) - Number(b.request >= 0));
    for (const connection of freeFirst.slice(0, Math.max(0, kept.length - size))) {
      connection.isRetired = true;
      if (connection.request < 0) connection.abandon();
    }
    const added = Array.from({ length: Math.max(0, size - kept.length) }, () => new Connection());
    this.#connections = this.#connections.filter(({ isRetired, request }) => !isRetired || request >= 0).concat(added);
    this.#open = this.#open.resized(this.#connections.length);
    this.#closed = this.#closed.resized(this.#connections.length);
    if (this.#isDialing) for (const connection of added) this.#dialer.connect(connection);
  }

  /**
   * Opens all connections, for as long as the timeout or until `stop` is aborted. Rejects with the TargetError of the
   * first failure when not one could be opened.
   */
  async open(stop: AbortSignal): Promise<void> {
    this.#isDialing = true;
    if (stop.aborted) return;
    const over = Promise.withResolvers<false>();
    const end = () => over.resolve(false);
    const timer = setTimeout(end, this.#timeoutNs / 1e6);
    stop.addEventListener("abort", end);
    try {
      const isResolved = await Promise.race([this.#dialer.refresh().then(() => true), over.promise]);
      if (isResolved) await this.#openAll(stop, over.promise);
      else if (!stop.aborted) throw this.#dialer.lookupTimeout();
    } finally {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
    }
  }

  /** Until `over`; attempts without an outcome are then given up, unless it is for `stop`. */
  async #openAll(stop: AbortSignal, over: Promise<unknown>): Promise<void> {
    let firstError: TargetError | undefined; // of a refusal and of no answer the former tells more, and comes first
    let open = 0;
    let waiting = this.#connections.length;
    const all = Promise.withResolvers<void>();
    this.#onOpened = (error) => {
      if (error === undefined) open++;
      else firstError ??= error;
      if (--waiting === 0) all.resolve();
    };
    for (const connection of this.#connections) this.#dialer.connect(connection);
    if (waiting > 0) await Promise.race([all.promise, over]);
    if (!stop.aborted) this.#giveUp(Number.POSITIVE_INFINITY);
    this.#onOpened = undefined;
    if (open === 0 && firstError !== undefined) throw firstError;
  }

  /**
   * From now on connections are free, and grow old: the ends of their first lifetimes are spread evenly. Those that have
   * ended since they were opened are opened again.
   */
  begin(startNs: number): void {
    this.#hasBegun = true;
    this.#spreadLifetimes(startNs);
    for (const connection of this.#connections) {
      if (connection.state === ConnectionState.Idle) this.release(connection, startNs);
      else if (connection.state === ConnectionState.Closed) this.#dialer.connect(connection);
    }
  }

  #spreadLifetimes(fromNs: number): void {
    this.#connections.forEach((connection, i) => {
      connection.expiresNs = fromNs + (this.#lifetimeNs * (i + 1)) / this.#connections.length;
    });
  }

  /** The free connection that comes next, still among the free ones: it has to be connected only where none is open. */
  peek(): Connection | undefined {
    for (let next = this.#open.peek(); next !== undefined; next = this.#open.peek()) {
      if (next.state === ConnectionState.Idle) return next;
      this.#open.shift(); // it has ended, or is being opened again and comes back by itself
      if (next.state === ConnectionState.Closed) this.release(next, next.freeNs);
    }
    return this.#closed.peek();
  }

  /** Takes what `peek` has shown. */
  take(): void {
    if (this.#open.length > 0) this.#open.shift();
    else this.#closed.shift();
  }

  /** Opens a closed connection for the request that it has been given; `opened` or `failed` follows. */
  connect(connection: Connection): void {
    this.#dialer.connect(connection);
  }

  /** The connection is free from `nowNs` on. */
  release(connection: Connection, nowNs: number): void {
    if (!this.#hasBegun) return; // the beginning looks at all of them
    if (connection.isRetired) {
      this.#drop(connection);
      return;
    }
    connection.freeNs = nowNs;
    (connection.state === ConnectionState.Idle ? this.#open : this.#closed).push(connection);
  }

  /** Closes the connection and opens it again at once, so that no request has to wait for the handshake. */
  reopen(connection: Connection): void {
    connection.abandon();
    const nowNs = monotonicNs();
    // One that never served is not opened again before a request needs it: a target that ends every connection at once
    // would otherwise be called without end. Nor does it get a request before the next turn of the event loop:
    // connections that fail at once would otherwise keep the others from being served.
    if (connection.hasServed && !connection.isRetired && this.#events.isNeeded(nowNs)) this.#dialer.connect(connection);
    else this.release(connection, nowNs);
  }

  /** Ends attempts that have taken longer than the timeout: their places are free for others, at the next address. */
  expireAttempts(nowNs: number): void {
    this.#giveUp(nowNs - this.#timeoutNs);
  }

  /** Ends the attempts that began before `beforeNs`. */
  #giveUp(beforeNs: number): void {
    for (const connection of this.#connections) {
      if (connection.state !== ConnectionState.Connecting) continue;
      if ((connection.attempt as Attempt).beganNs < beforeNs) this.#dialer.giveUp(connection);
    }
  }

  /** Opens those connections again that have come to the end of their lifetime while they were idle. */
  renewIdle(nowNs: number): void {
    for (const connection of this.#connections) {
      if (connection.state === ConnectionState.Idle && nowNs >= connection.expiresNs) this.reopen(connection);
    }
  }

  #drop(connection: Connection): void {
    connection.abandon();
    this.#connections = this.#connections.filter((other) => other !== connection);
  }

  /** Asks for the target's addresses anew, and lets go of connections to former ones. A failure changes nothing. */
  async refreshAddresses(): Promise<void> {
    if (!this.#isDialing) return;
    try {
      await this.#dialer.refresh();
    } catch (error: unknown) {
      if (error instanceof TargetError) return;
      throw error;
    }
    for (const connection of this.#connections) {
      if (!this.#dialer.isCurrent(connection)) connection.expiresNs = 0;
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#connections) connection.abandon();
  }

  #opened(connection: Connection): void {
    const nowNs = monotonicNs();
    connection.freeNs = nowNs;
    connection.expiresNs = nowNs + this.#lifetimeNs;
    connection.hasServed = false;
    if (this.#onOpened === undefined) this.#events.opened(connection, nowNs);
    else this.#onOpened(undefined);
  }

  #failed(connection: Connection, error: TargetError): void {
    this.#watch.recordConnectFailure(error.code);
    connection.hasServed = false;
    if (connection.request >= 0) this.#events.failed(connection, error);
    else if (this.#onOpened !== undefined) this.#onOpened(error);
    else this.release(connection, monotonicNs());
  }
}

function lifetimeNs({ connectionLifetimeNs = Number.POSITIVE_INFINITY }: WorkerPlan): number {
  return connectionLifetimeNs;
}
