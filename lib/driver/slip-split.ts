// The slip of each request in its two parts: the generator was late, or no connection was free.

export class SlipSplit {
  /** When the generator was last late: what was due in between was held up by it. */
  #lateFromNs = 0;
  #lateUntilNs = 0;

  /**
   * For how long the generator held up a request that was due at `intendedNs` and is sent at `sentNs`, on a connection
   * that was free from `freeNs` on; the rest of its slip was waiting for a connection.
   *
   * A request that meets a connection which had been free before is late by the generator, and so, up to that moment, is
   * every other that was due by then: those must not count as waiting only because the first ones took all connections.
   */
  lateNs(intendedNs: number, freeNs: number, sentNs: number): number {
    const lateNs = sentNs - Math.max(intendedNs, freeNs);
    if (lateNs <= 0) return Math.max(0, this.#lateUntilNs - Math.max(intendedNs, this.#lateFromNs));
    this.#lateFromNs = freeNs;
    this.#lateUntilNs = sentNs;
    return lateNs;
  }
}
