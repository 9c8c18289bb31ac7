// Which connections are cut because their clients take too long. One sweep a second looks at all of them: what a client
// sends or leaves unsent sets no timer.
//
//                   handshake done                    first bytes arrive
//   accepted, busy ────────────────▶ idle ◀──────────────────────────────▶ busy
//                                         all exchanges answered and sent
//
// Busy for too long is slow; idle for too long is idle. How idle a connection may be is longer than the API server keeps
// one unused (90 s), so that it is never we who close a connection which it is about to use.

export interface Patience {
  /** For the handshake, and for an exchange from its first byte to its last. */
  exchangeMs: number;
  idleMs: number;
}

export const patience: Patience = { exchangeMs: 10_000, idleMs: 130_000 };

/** What a connection shows at an instant. */
export interface Sight {
  /** Whether TLS is agreed on; for plain HTTP, whether anything has arrived. */
  isOpen: boolean;
  /** Requests without a finished response. */
  exchanges: number;
  /** Bytes of HTTP that have arrived since the connection was accepted. */
  receivedBytes: number;
  /** Bytes of responses that the client has not taken yet. */
  unsentBytes: number;
}

/** What is remembered of a connection between two looks. Instants in ms, from any origin. */
export class ClientWatch {
  #isIdle = false;
  /** Since when it is idle, or is not. */
  #sinceMs: number;
  /** Of the bytes received, those that belong to answered requests. */
  #answeredBytes = 0;

  constructor(acceptedAtMs: number) {
    this.#sinceMs = acceptedAtMs;
  }

  /** Since when it is idle; undefined while it is not. */
  get idleSinceMs(): number | undefined {
    return this.#isIdle ? this.#sinceMs : undefined;
  }

  /** A response has ended. */
  answered(sight: Sight, nowMs: number): void {
    this.#answeredBytes = sight.receivedBytes;
    this.#become(this.#seemsIdle(sight), nowMs);
  }

  /** Why the connection is to be cut, if it is. */
  look(sight: Sight, nowMs: number, { exchangeMs, idleMs }: Patience): "slow" | "idle" | undefined {
    const isIdle = this.#seemsIdle(sight);
    if (isIdle !== this.#isIdle) this.#become(isIdle, nowMs);
    if (nowMs - this.#sinceMs < (isIdle ? idleMs : exchangeMs)) return undefined;
    return isIdle ? "idle" : "slow";
  }

  /** Whether a request has begun whose response the client does not have yet. */
  isAsked({ exchanges, receivedBytes, unsentBytes }: Sight): boolean {
    return exchanges > 0 || unsentBytes > 0 || receivedBytes !== this.#answeredBytes;
  }

  #seemsIdle(sight: Sight): boolean {
    return sight.isOpen && !this.isAsked(sight);
  }

  #become(isIdle: boolean, atMs: number): void {
    this.#isIdle = isIdle;
    this.#sinceMs = atMs;
  }
}
