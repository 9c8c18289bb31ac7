// Counters and histograms of one path. Hot: recording allocates nothing.
import { type Account, type FailureKind, failureKinds } from "../stats/account.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Recording } from "../stats/recording.ts";

const statusCodeLimit = 600;

export class PathRecorder {
  dispatched = 0;
  sent = 0;
  completed = 0;
  timedOut = 0;
  inFlight = 0;
  bytesSent = 0;
  bytesReceived = 0;
  readonly latency = new Histogram();
  readonly service = new Histogram();
  readonly slip = new Histogram();
  readonly #failed = new Map<FailureKind, number>(failureKinds.map((kind) => [kind, 0]));
  readonly #statusCodes = new Float64Array(statusCodeLimit);

  fail(kind: FailureKind): void {
    this.#failed.set(kind, (this.#failed.get(kind) as number) + 1);
  }

  /** A whole response has come; it completes the request when its status is an expected one, 200 to 399. */
  respond(status: number): void {
    this.#statusCodes[status] = (this.#statusCodes[status] as number) + 1;
    if (status >= 200 && status < 400) this.completed += 1;
    else this.fail("unexpectedStatus");
  }

  /**
   * All that is recorded, when `due` requests of this path are due so far, `lost` of them before this process began.
   * The account is a copy, the histograms are the recorder's own.
   */
  recording(due: number, lost: number): Recording {
    return { account: this.#account(due, lost), latency: this.latency, service: this.service, slip: this.slip };
  }

  #account(due: number, lost: number): Account {
    const statusCodes: Record<string, number> = {};
    for (let status = 100; status < statusCodeLimit; status++) {
      const count = this.#statusCodes[status] as number;
      if (count > 0) statusCodes[status] = count;
    }
    return {
      scheduled: due,
      sent: this.sent,
      completed: this.completed,
      failed: Object.fromEntries([...this.#failed].filter(([, count]) => count > 0)),
      timedOut: this.timedOut,
      inFlight: this.inFlight,
      unsent: due - lost - this.dispatched,
      lost,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      statusCodes,
    };
  }
}
