// One backend under load: its requests as they fall due, its connections, and the account of it all.
//
// A request that is due goes to a free connection at once; without one it is owed, and goes to the next that becomes
// free; owed for longer than the timeout, it is given up. It is never sent before it is due and never sent twice.
import { Progress } from "../load/response-parser.ts";
import { Timetable } from "../load/timetable.ts";
import type { PlannedBackend, WorkerPlan } from "../load/worker-plan.ts";
import { monotonicNs } from "../runtime/clock.ts";
import type { FailureKind } from "../stats/account.ts";
import type { Recording } from "../stats/recording.ts";
import { type Connection, ConnectionState } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import type { GeneratorWatch } from "./generator-watch.ts";
import { PathRecorder } from "./path-recorder.ts";
import type { ReadyRequest } from "./planned-requests.ts";
import { SlipSplit } from "./slip-split.ts";

export class Backend {
  readonly name: string;
  /** When its requests are due. */
  readonly timetable: Timetable;
  /** The connections to it. */
  readonly pool: ConnectionPool;
  readonly #index: number;
  readonly #isClosedLoop: boolean;
  #timeoutNs: number;
  #requests: readonly ReadyRequest[] = [];
  readonly #recorders: PathRecorder[] = [];
  readonly #watch: GeneratorWatch;
  readonly #slip = new SlipSplit();
  /** Whether it has connections only for what is owed. */
  #isLeaving = false;
  #inFlight = 0;
  /** Requests completed while requests were due. */
  completedInTime = 0;

  private constructor(plan: WorkerPlan, name: string, index: number, watch: GeneratorWatch, pool: ConnectionPool) {
    this.name = name;
    this.timetable = new Timetable(plan, index);
    this.pool = pool;
    this.#index = index;
    this.#isClosedLoop = plan.requestsPerSecond === "max";
    this.#timeoutNs = plan.timeoutNs;
    this.#watch = watch;
  }

  /** Backend `index`, `planned` for the first time in `plan` or in a later one. Rejects when a file cannot be read. */
  static async create(
    plan: WorkerPlan,
    planned: PlannedBackend,
    index: number,
    watch: GeneratorWatch,
  ): Promise<Backend> {
    const pool = await ConnectionPool.create(plan, planned, watch, {
      opened: (connection, nowNs) => {
        if (connection.request >= 0) backend.#send(connection, nowNs);
        else backend.#makeFree(connection, nowNs);
      },
      failed: (connection, error) => backend.#finish(connection, error.kind),
      received: (connection, piece) => backend.#received(connection, piece),
      drained: (connection) => {
        const { state, unwritten } = connection;
        if (state === ConnectionState.Busy && unwritten !== undefined) backend.#write(connection, unwritten);
      },
      ended: (connection, error) => backend.#ended(connection, error),
      isNeeded: (nowNs) => !backend.timetable.isExhausted(backend.timetable.elapsedNs(nowNs)),
    });
    const backend = new Backend(plan, planned.name, index, watch, pool);
    return backend;
  }

  /** Opens the connections that it has by `plan`, which is followed afterwards. Rejects as ConnectionPool.open does. */
  async open(plan: WorkerPlan, stop: AbortSignal): Promise<void> {
    this.pool.resize(this.#share(plan));
    await this.pool.open(stop);
  }

  /** Begins its timetable, and sends from `startNs` on. */
  begin(startNs: number, afterNs: number, lostUntilNs: number): void {
    this.timetable.begin(startNs, afterNs, lostUntilNs);
    this.pool.begin(startNs);
  }

  /** Goes on by another plan, whose requests are `requests` for this backend, from `elapsedNs` after the start on. */
  follow(plan: WorkerPlan, requests: readonly ReadyRequest[], elapsedNs: number): void {
    this.#timeoutNs = plan.timeoutNs;
    this.#requests = requests;
    for (const [request, { expectStatus }] of plan.requests.entries()) {
      this.#recorders[request] ??= new PathRecorder();
      this.#recorders[request].expect(expectStatus);
    }
    this.timetable.follow(plan, elapsedNs);
    this.pool.follow(plan);
    const connections = this.#share(plan);
    this.#isLeaving = connections === 0;
    if (connections > 0) this.pool.resize(connections);
    this.#closeIfDone(elapsedNs);
  }

  /** How many of the plan's connections it has. */
  #share({ backends, connections }: WorkerPlan): number {
    const percent = backends[this.#index]?.percent ?? 0;
    return percent === 0 ? 0 : Math.max(1, Math.round((connections * percent) / 100));
  }

  /** A backend that gets no more requests first sends what is owed, and then needs no connections. */
  #closeIfDone(elapsedNs: number): void {
    if (!this.#isLeaving || this.timetable.nextNs(elapsedNs) <= elapsedNs) return;
    this.#isLeaving = false;
    this.pool.resize(0);
  }

  /** Requests given to a connection whose outcome is open. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** How long until a request can be sent; Infinity while that hangs on a response. */
  untilDueNs(elapsedNs: number): number {
    if (this.timetable.isExhausted(elapsedNs) || this.pool.peek() === undefined) return Number.POSITIVE_INFINITY;
    return this.timetable.nextNs(elapsedNs) - elapsedNs;
  }

  /** Whether requests are due that wait for a connection. */
  isOwing(elapsedNs: number): boolean {
    if (this.timetable.isExhausted(elapsedNs) || this.pool.peek() !== undefined) return false;
    return this.timetable.nextNs(elapsedNs) <= elapsedNs;
  }

  /** Sends what is due, as long as a connection is free. */
  sendDue(): void {
    const nowNs = monotonicNs();
    if (!this.#isNextDue(nowNs)) return; // also passes over what is owed for too long, where no connection is free
    this.#sendDueAt(nowNs);
  }

  /** Ends requests that have taken longer than the timeout, from when they were given to their connection. */
  expire(): void {
    const nowNs = monotonicNs();
    for (const connection of this.pool.all) {
      if (connection.state === ConnectionState.Busy && nowNs - connection.dispatchedNs > this.#timeoutNs)
        this.#timeOut(connection, nowNs);
    }
    this.pool.expireAttempts(nowNs); // with the requests that wait for them
    this.pool.renewIdle(nowNs);
    this.#closeIfDone(this.timetable.elapsedNs(nowNs));
  }

  /** What is recorded until `elapsedNs`, by request of the plan. The histograms are the backend's own. */
  recordings(elapsedNs: number): Recording[] {
    const due = this.timetable.due(elapsedNs);
    return this.#recorders.map((recorder, i) => recorder.recording(due[i] ?? 0, this.timetable.skipped[i] ?? 0));
  }

  /** The same as far as it would be known should the process end now. */
  checkpoint(elapsedNs: number): Recording[] {
    const due = this.timetable.due(elapsedNs);
    return this.#recorders.map((recorder, i) => recorder.checkpoint(due[i] ?? 0));
  }

  /** Goes on from what an earlier process recorded, by request; before the beginning. */
  resume(recordings: readonly Recording[]): void {
    for (const [request, recording] of recordings.entries()) this.#recorders[request]?.resume(recording);
  }

  /** Whether the next request is due now; owed ones that have waited longer than the timeout are passed over first. */
  #isNextDue(nowNs: number): boolean {
    let waitedNs = this.timetable.waitedNs(nowNs);
    for (; waitedNs > this.#timeoutNs; waitedNs = this.timetable.waitedNs(nowNs)) {
      if (this.pool.peek() !== undefined) this.#watch.recordNeglect(waitedNs);
      (this.#recorders[this.timetable.request] as PathRecorder).givenUp++;
      this.timetable.advance();
    }
    return waitedNs >= 0;
  }

  /** Gives the next request to a free connection. */
  #dispatch(connection: Connection, nowNs: number): void {
    connection.request = this.timetable.request;
    connection.intendedNs = this.timetable.nextAtNs(nowNs);
    connection.dispatchedNs = nowNs;
    this.timetable.advance();
    this.#inFlight++;
    const recorder = this.#recorders[connection.request] as PathRecorder;
    recorder.dispatched++;
    recorder.inFlight++;
    if (connection.state === ConnectionState.Idle) this.#send(connection, nowNs);
    else this.pool.connect(connection);
  }

  #send(connection: Connection, nowNs: number): void {
    const { bytes, isHead } = this.#requests[connection.request] as ReadyRequest;
    const recorder = this.#recorders[connection.request] as PathRecorder;
    connection.state = ConnectionState.Busy;
    connection.sentNs = nowNs;
    connection.hasServed = true;
    connection.hasHeard = false;
    connection.parser.begin(isHead);
    recorder.sent++;
    if (this.#isClosedLoop)
      connection.intendedNs = nowNs; // which knows no slip
    else {
      recorder.slip.record(nowNs - connection.intendedNs);
      const lateNs = this.#slip.lateNs(connection.intendedNs, connection.freeNs, nowNs);
      this.#watch.recordSend(lateNs, nowNs - connection.intendedNs - lateNs);
    }
    this.#write(connection, bytes);
  }

  #write(connection: Connection, bytes: Uint8Array): void {
    const written = connection.socket?.write(bytes) ?? -1;
    if (written < 0) {
      this.#finish(connection, "resetBeforeFirstByte");
      return;
    }
    (this.#recorders[connection.request] as PathRecorder).bytesSent += written;
    connection.unwritten = written < bytes.length ? bytes.subarray(written) : undefined;
  }

  /** A request has its outcome: of kind `failure`, or by its response. The connection is closed unless it can be kept. */
  #finish(connection: Connection, failure?: FailureKind): void {
    const nowNs = monotonicNs();
    const recorder = this.#recorders[connection.request] as PathRecorder;
    if (failure === undefined) {
      if (nowNs - connection.dispatchedNs > this.#timeoutNs) recorder.timedOut++;
      else if (recorder.respond(connection.parser.status) && nowNs <= this.timetable.endsAtNs) this.completedInTime++;
      this.#recordTimes(connection, recorder, nowNs);
    } else recorder.fail(failure);
    // A response that came before the end of the request leaves the rest of that on the connection (RFC 9112 §9.3).
    const isKept = failure === undefined && connection.parser.keepAlive && connection.unwritten === undefined;
    this.#release(connection, nowNs, isKept);
  }

  #recordTimes(connection: Connection, recorder: PathRecorder, nowNs: number): void {
    recorder.latency.record(nowNs - connection.intendedNs);
    recorder.service.record(nowNs - connection.sentNs);
  }

  /** Takes the request from the connection, which may get the next one at once. */
  #release(connection: Connection, nowNs: number, isKept: boolean): void {
    (this.#recorders[connection.request] as PathRecorder).inFlight--;
    this.#inFlight--;
    connection.request = -1;
    if (isKept && nowNs < connection.expiresNs) {
      connection.state = ConnectionState.Idle;
      this.#makeFree(connection, nowNs);
    } else this.pool.reopen(connection);
  }

  /** The connection may carry a request again; those that are due leave at once, on the connections free for longest. */
  #makeFree(connection: Connection, nowNs: number): void {
    this.pool.release(connection, nowNs);
    this.#sendDueAt(nowNs);
  }

  /** Gives the requests that are due, at first at `firstNs`, to connections, as long as one is free. */
  #sendDueAt(firstNs: number): void {
    let nowNs = firstNs;
    // A connection that fails at once is free again at once, and waits for the next call.
    for (let left = this.pool.freeCount; left > 0; left--) {
      const connection = this.pool.peek();
      if (connection === undefined || !this.#isNextDue(nowNs)) return;
      this.pool.take();
      this.#dispatch(connection, nowNs);
      nowNs = monotonicNs(); // a write takes its time
    }
  }

  #timeOut(connection: Connection, nowNs: number): void {
    const recorder = this.#recorders[connection.request] as PathRecorder;
    recorder.timedOut++;
    this.#recordTimes(connection, recorder, nowNs);
    this.#release(connection, nowNs, false);
  }

  #received(connection: Connection, piece: Uint8Array): void {
    if (connection.state !== ConnectionState.Busy) {
      // Bytes nobody asked for.
      if (connection.request >= 0) this.#finish(connection, "malformed");
      else this.pool.reopen(connection);
      return;
    }
    connection.hasHeard = true;
    (this.#recorders[connection.request] as PathRecorder).bytesReceived += piece.length;
    const progress = connection.parser.feed(piece);
    if (progress === Progress.Complete) this.#finish(connection);
    else if (progress === Progress.Malformed) this.#finish(connection, "malformed");
  }

  #ended(connection: Connection, error: Error | undefined): void {
    if (connection.parser.endsWithClose() && error === undefined) this.#finish(connection);
    else if (!connection.hasHeard) this.#finish(connection, "resetBeforeFirstByte");
    else this.#finish(connection, error === undefined ? "truncated" : "resetMidBody");
  }
}
