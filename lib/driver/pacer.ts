// How a driver waits for the next request to be due. Timers are a millisecond wide; between them either the core is
// kept or the millisecond is accepted.

/**
 * Calls `tick` once, about when `untilDueNs` have passed, and serves sockets meanwhile. Infinity: soon. `isExpecting`:
 * responses are under way.
 */
export type Pacer = (tick: () => void, untilDueNs: number, isExpecting: boolean) => void;

const farNs = 2e6;
/** A short sleep takes up to this long, by the kernel's timers and the way back. */
const nearNs = 100e3;
const shortSleepMs = 0.03;
const longestSleepMs = 10;
const never = new Int32Array(new SharedArrayBuffer(4));

/** On time to some microseconds, for most of a core. Nothing is slept through that may bring a response. */
const balanced: Pacer = (tick, untilDueNs, isExpecting) => {
  if (untilDueNs > farNs) {
    setTimeout(tick, 1);
    return;
  }
  if (untilDueNs > nearNs && !isExpecting) Atomics.wait(never, 0, 0, shortSleepMs);
  setImmediate(tick);
};

/** Within about a millisecond, for little CPU time. */
const relaxed: Pacer = (tick, untilDueNs) => {
  setTimeout(tick, untilDueNs === Number.POSITIVE_INFINITY ? 1 : Math.min(longestSleepMs, Math.ceil(untilDueNs / 1e6)));
};

export const pacers = { balanced, relaxed } as const;
