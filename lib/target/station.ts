// A queue in front of servers that all take the same time for a request: when each request leaves. The instants are
// computed, not observed, so the capacity is exact however late the process itself is.
//
//     start_n = max(arrival_n, end_(n−K))        end_n = start_n + S
//
//     K   servers                    S   service time, ns
//
// With equal service times requests leave in the order they came, so the server that is free first is always the one
// that took request n − K. Without a bound on the servers, end_n = arrival_n + S.

export class Station {
  readonly #serviceNs: number;
  /** When each server becomes free; empty = as many servers as requests. */
  readonly #freeAtNs: Float64Array;
  #server = 0;

  /** `servers` may be Infinity: then nothing ever queues. */
  constructor(serviceNs: number, servers: number) {
    this.#serviceNs = serviceNs;
    this.#freeAtNs = new Float64Array(Number.isFinite(servers) ? servers : 0);
  }

  /** When the request that arrived at `arrivedAtNs` has been served; arrivals never go back from call to call. */
  departureNs(arrivedAtNs: number): number {
    if (this.#freeAtNs.length === 0) return arrivedAtNs + this.#serviceNs;
    const leavesAtNs = Math.max(arrivedAtNs, this.#freeAtNs[this.#server]!) + this.#serviceNs;
    this.#freeAtNs[this.#server] = leavesAtNs;
    this.#server = (this.#server + 1) % this.#freeAtNs.length;
    return leavesAtNs;
  }
}
