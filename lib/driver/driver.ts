// The open-loop driver: sends every request when it is due, on raw sockets, and accounts for all of them.
//
// A request that is due goes to a free connection at once; without one it is owed, and goes to the next that becomes
// free; owed for longer than the timeout, it is given up. It is never sent before it is due and never sent twice.
import { encodeRequest } from "../load/request.ts";
import { Progress } from "../load/response-parser.ts";
import { countOfPath, pathOf, Schedule } from "../load/schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { monotonicNs } from "../runtime/clock.ts";
import type { FailureKind } from "../stats/account.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Recording } from "../stats/recording.ts";
import { Connection, ConnectionState } from "./connection.ts";
import { Dialer } from "./dialer.ts";
import { pacers } from "./pacer.ts";
import { PathRecorder } from "./path-recorder.ts";
import { TargetError } from "./target-error.ts";

/** After a stop, responses are waited for this long at most. */
const drainLimitNs = 5e9;
const expiryCheckNs = 10e6;
const snapshotNs = 1e9;
/** A start this long ago or longer is that of an earlier process. */
const lateStartNs = 100e6;

export class Driver {
  readonly generatorSlip = new Histogram();
  readonly #plan: WorkerPlan;
  readonly #schedule: Schedule;
  readonly #requests: readonly Uint8Array[];
  readonly #recorders: readonly PathRecorder[];
  readonly #connections: readonly Connection[];
  readonly #idle: Connection[] = [];
  readonly #dialer: Dialer;
  /** Told of each connection's first outcome while opening; later outcomes belong to requests. */
  #onOpened: ((error: TargetError | undefined) => void) | undefined;
  #startNs = 0;
  #next = 0;
  /** Requests due before a start in mid-schedule: what became of them, an earlier process knew. */
  #skipped = 0;
  #inFlight = 0;
  /** The instant (ns since the start) at which the schedule was stopped; Infinity while it goes on. */
  #stoppedAtNs = Number.POSITIVE_INFINITY;

  constructor(plan: WorkerPlan) {
    this.#plan = plan;
    this.#schedule = new Schedule(plan.requestsPerSecond, plan.durationNs, plan.worker);
    this.#requests = plan.paths.map((path) => encodeRequest(plan.origin, path));
    this.#recorders = plan.paths.map(() => new PathRecorder());
    this.#connections = Array.from({ length: plan.connections }, () => new Connection());
    this.#dialer = new Dialer(plan, {
      opened: (connection) => this.#opened(connection),
      failed: (connection, error) => this.#connectFailed(connection, error),
      received: (connection, piece) => this.#received(connection, piece),
      drained: (connection) => {
        if (connection.unwritten !== undefined) this.#write(connection, connection.unwritten);
      },
      closed: (connection, error) => this.#closed(connection, error),
    });
  }

  /**
   * Opens all connections, for as long as the timeout or until `stop` is aborted. Rejects with the TargetError of the
   * last failure when not one could be opened.
   */
  async open(stop: AbortSignal): Promise<void> {
    await this.#dialer.resolve();
    let lastError: TargetError | undefined;
    let open = 0;
    await new Promise<void>((resolve) => {
      let waiting = this.#connections.length;
      const settle = () => {
        clearTimeout(timer);
        stop.removeEventListener("abort", settle);
        resolve();
      };
      stop.addEventListener("abort", settle);
      const timer = setTimeout(() => {
        lastError ??= new TargetError(
          "connect",
          `Cannot connect to "${this.#dialer.where()}": no answer within the timeout`,
        );
        settle();
      }, this.#plan.timeoutNs / 1e6);
      this.#onOpened = (error) => {
        if (error === undefined) open++;
        else lastError = error;
        if (--waiting === 0) settle();
      };
      for (const connection of this.#connections) this.#dialer.connect(connection);
    });
    this.#onOpened = undefined;
    for (const connection of this.#connections) {
      if (connection.state !== ConnectionState.Connecting) this.#idle.push(connection);
    }
    if (open === 0 && lastError !== undefined) throw lastError;
  }

  /**
   * Sends what the plan asks for, request 0 at the monotonic instant `startNs`, until the schedule ends or `stop` is
   * aborted, and waits for the responses. Of a start in the past, what was due before now counts as lost: an earlier
   * process may have sent it.
   */
  async run(startNs: number, stop: AbortSignal, onSnapshot: (elapsedNs: number) => void): Promise<void> {
    this.#startNs = startNs;
    this.#skipped = this.#schedule.dueCount(monotonicNs() - startNs - lateStartNs);
    this.#next = this.#skipped;
    const pace = pacers[this.#plan.pacing];
    let nextExpiryNs = 0;
    let nextSnapshotNs = snapshotNs;
    await new Promise<void>((resolve) => {
      const tick = () => {
        if (!stop.aborted) this.#sendDue();
        const elapsedNs = monotonicNs() - startNs;
        if (stop.aborted) this.#stoppedAtNs = Math.min(this.#stoppedAtNs, elapsedNs);
        if (elapsedNs >= nextExpiryNs) {
          this.#expire();
          nextExpiryNs = elapsedNs + expiryCheckNs;
        }
        if (elapsedNs >= nextSnapshotNs) {
          onSnapshot(elapsedNs);
          nextSnapshotNs = (Math.floor(elapsedNs / snapshotNs) + 1) * snapshotNs;
        }
        if (this.#isOver(elapsedNs)) resolve();
        else pace(tick, this.#untilDueNs(elapsedNs));
      };
      tick();
    });
    for (const connection of this.#connections) connection.abandon();
  }

  /** What is recorded so far, by path. The histograms are the driver's own: merge or encode them, keep no hold. */
  recordings(): Recording[] {
    const due = this.#schedule.dueCount(Math.min(monotonicNs() - this.#startNs, this.#stoppedAtNs));
    const { paths, worker } = this.#plan;
    const countOf = (path: number, count: number) => countOfPath(path, count, worker.index, paths.length);
    return this.#recorders.map((recorder, path) =>
      recorder.recording(countOf(path, due), countOf(path, this.#skipped)),
    );
  }

  /** For how long requests have been due so far, seconds. */
  scheduledSeconds(): number {
    const elapsedNs = Math.min(monotonicNs() - this.#startNs, this.#stoppedAtNs);
    return Math.max(0, Math.min(elapsedNs, this.#plan.durationNs ?? elapsedNs)) / 1e9;
  }

  #isOver(elapsedNs: number): boolean {
    if (elapsedNs > this.#stoppedAtNs) {
      return this.#inFlight === 0 || elapsedNs - this.#stoppedAtNs > Math.min(drainLimitNs, this.#plan.timeoutNs);
    }
    return this.#next >= this.#schedule.count && this.#inFlight === 0;
  }

  #untilDueNs(elapsedNs: number): number {
    const isWaiting = this.#idle.length === 0 || this.#next >= this.#schedule.count || elapsedNs > this.#stoppedAtNs;
    return isWaiting ? Number.POSITIVE_INFINITY : this.#schedule.intendedNs(this.#next) - elapsedNs;
  }

  /** Gives every request that is due to a connection, as long as one is free. */
  #sendDue(): void {
    while (this.#idle.length > 0 && this.#takeNext()) this.#dispatch(this.#idle.shift() as Connection);
  }

  /** Whether request `#next` is due now; owed ones that have waited longer than the timeout are passed over first. */
  #takeNext(): boolean {
    if (this.#stoppedAtNs !== Number.POSITIVE_INFINITY) return false;
    const elapsedNs = monotonicNs() - this.#startNs;
    while (this.#next < this.#schedule.count) {
      const waitedNs = elapsedNs - this.#schedule.intendedNs(this.#next);
      if (waitedNs < 0) return false;
      if (waitedNs <= this.#plan.timeoutNs) return true;
      if (this.#idle.length > 0) this.generatorSlip.record(waitedNs); // nobody but the generator kept it waiting
      this.#next++;
    }
    return false;
  }

  /** Gives request `#next` to a free connection. */
  #dispatch(connection: Connection): void {
    const j = this.#next++;
    const path = pathOf(j, this.#plan.worker.index, this.#requests.length);
    connection.path = path;
    connection.intendedNs = this.#startNs + this.#schedule.intendedNs(j);
    connection.dispatchedNs = monotonicNs();
    this.#inFlight++;
    const recorder = this.#recorders[path] as PathRecorder;
    recorder.dispatched++;
    recorder.inFlight++;
    if (connection.state === ConnectionState.Idle) this.#send(connection);
    else this.#dialer.connect(connection);
  }

  #send(connection: Connection): void {
    const request = this.#requests[connection.path] as Uint8Array;
    const recorder = this.#recorders[connection.path] as PathRecorder;
    const sentNs = monotonicNs();
    connection.state = ConnectionState.Busy;
    connection.sentNs = sentNs;
    connection.hasHeard = false;
    connection.parser.begin(false);
    recorder.sent++;
    recorder.bytesSent += request.length;
    recorder.slip.record(sentNs - connection.intendedNs);
    this.generatorSlip.record(sentNs - Math.max(connection.intendedNs, connection.freeNs));
    this.#write(connection, request);
  }

  #write(connection: Connection, bytes: Uint8Array): void {
    const written = connection.socket?.write(bytes) ?? -1;
    if (written < 0) this.#finish(connection, "resetBeforeFirstByte");
    else connection.unwritten = written < bytes.length ? bytes.subarray(written) : undefined;
  }

  /** A request has its outcome: of kind `failure`, or by its response. The connection is closed unless it can be kept. */
  #finish(connection: Connection, failure?: FailureKind): void {
    const nowNs = monotonicNs();
    const recorder = this.#recorders[connection.path] as PathRecorder;
    if (failure === undefined) {
      recorder.respond(connection.parser.status);
      this.#recordTimes(connection, recorder, nowNs);
    } else recorder.fail(failure);
    this.#release(connection, nowNs, failure === undefined && connection.parser.keepAlive);
  }

  #recordTimes(connection: Connection, recorder: PathRecorder, nowNs: number): void {
    recorder.latency.record(nowNs - connection.intendedNs);
    recorder.service.record(nowNs - connection.sentNs);
  }

  /** Takes the request from the connection, which may get the next one at once. */
  #release(connection: Connection, nowNs: number, isKept: boolean): void {
    this.#detach(connection);
    if (isKept) connection.state = ConnectionState.Idle;
    else connection.abandon();
    this.#makeFree(connection, nowNs);
  }

  #detach(connection: Connection): void {
    (this.#recorders[connection.path] as PathRecorder).inFlight--;
    this.#inFlight--;
    connection.path = -1;
  }

  #makeFree(connection: Connection, nowNs: number): void {
    connection.freeNs = nowNs;
    if (this.#takeNext()) this.#dispatch(connection);
    else this.#idle.push(connection);
  }

  /** Ends requests that have taken longer than the timeout, from when they were given to their connection. */
  #expire(): void {
    const nowNs = monotonicNs();
    for (const connection of this.#connections) {
      if (connection.path < 0 || nowNs - connection.dispatchedNs <= this.#plan.timeoutNs) continue;
      const recorder = this.#recorders[connection.path] as PathRecorder;
      if (connection.state === ConnectionState.Busy) {
        recorder.timedOut++;
        this.#recordTimes(connection, recorder, nowNs);
        this.#release(connection, nowNs, false);
      } else {
        recorder.fail("connect");
        this.#detach(connection); // an attempt cannot be called back: the connection is free when it has its outcome
      }
    }
  }

  #opened(connection: Connection): void {
    connection.freeNs = monotonicNs();
    if (connection.path >= 0) this.#send(connection);
    else if (this.#onOpened !== undefined) this.#onOpened(undefined);
    else this.#makeFree(connection, connection.freeNs);
  }

  #connectFailed(connection: Connection, error: TargetError): void {
    if (connection.path >= 0) this.#finish(connection, error.kind);
    else if (this.#onOpened !== undefined) this.#onOpened(error);
    else this.#makeFree(connection, monotonicNs());
  }

  #received(connection: Connection, piece: Uint8Array): void {
    if (connection.state !== ConnectionState.Busy) {
      connection.abandon(); // bytes nobody asked for
      return;
    }
    connection.hasHeard = true;
    (this.#recorders[connection.path] as PathRecorder).bytesReceived += piece.length;
    const progress = connection.parser.feed(piece);
    if (progress === Progress.Complete) this.#finish(connection);
    else if (progress === Progress.Malformed) this.#finish(connection, "malformed");
  }

  #closed(connection: Connection, error: Error | undefined): void {
    if (connection.state !== ConnectionState.Busy) connection.abandon();
    else if (connection.parser.endsWithClose() && error === undefined) this.#finish(connection);
    else if (!connection.hasHeard) this.#finish(connection, "resetBeforeFirstByte");
    else this.#finish(connection, error === undefined ? "truncated" : "resetMidBody");
  }
}
