// Counters and histograms of one request of the plan. Hot: recording allocates nothing.
import type { PlannedRequest } from "../load/worker-plan.ts";
import { type Account, emptyAccount, type FailureKind, failureKinds, sumAccounts } from "../stats/account.ts";
import { Histogram } from "../stats/histogram.ts";
import { metrics, type Recording } from "../stats/recording.ts";

const statusCodeLimit = 600;

export class PathRecorder {
  dispatched = 0;
  /** Given up unsent. */
  givenUp = 0;
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
  /** What an earlier process counted. */
  #former: Account = emptyAccount();
  /** 1 for each status code that completes the request. */
  readonly #expected = new Uint8Array(statusCodeLimit);

  /** From now on these complete the request; undefined: 200 to 399. */
  expect(expectStatus: PlannedRequest["expectStatus"]): void {
    this.#expected.fill(0);
    if (expectStatus === undefined) this.#expected.fill(1, 200, 400);
    else for (const status of expectStatus) this.#expected[status] = 1;
  }

  /** Goes on from what an earlier process recorded. */
  resume({ account, ...histograms }: Recording): void {
    this.#former = account;
    for (const metric of metrics) this[metric].merge(histograms[metric]);
  }

  fail(kind: FailureKind): void {
    this.#failed.set(kind, (this.#failed.get(kind) as number) + 1);
  }

  /** A whole response has come: whether that completes the request, by its status. */
  respond(status: number): boolean {
    this.#statusCodes[status] = (this.#statusCodes[status] as number) + 1;
    const isExpected = this.#expected[status] === 1;
    if (isExpected) this.completed += 1;
    else this.fail("unexpectedStatus");
    return isExpected;
  }

  /**
   * All that is recorded, when `due` requests of this kind are due so far, `lost` of them before this process began.
   * The account is a copy, the histograms are the recorder's own.
   */
  recording(due: number, lost: number): Recording {
    const account = sumAccounts([this.#former, this.#account(due, lost)]);
    return { account, latency: this.latency, service: this.service, slip: this.slip };
  }

  /** The same as far as it would be known should the process end now: the fate of what is open is lost. */
  checkpoint(due: number): Recording {
    const recording = this.recording(due, due - this.dispatched - this.givenUp);
    const { account } = recording;
    return { ...recording, account: { ...account, lost: account.lost + account.inFlight, inFlight: 0 } };
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
