// How a driver waits for the next request to be due. Timers are a millisecond wide; between them either the core is
// kept (short sleeps with a look at the sockets after each) or the millisecond is accepted.

/** Calls `tick` once, about when `untilDueNs` have passed, and serves sockets meanwhile. Infinity: soon. */
export type Pacer = (tick: () => void, untilDueNs: number) => void;

const farNs = 2e6;
const nearNs = 60e3;
const shortSleepMs = 0.03;
const longestSleepMs = 10;
const never = new Int32Array(new SharedArrayBuffer(4));

/** On time to some microseconds, for most of a core. */
const balanced: Pacer = (tick, untilDueNs) => {
  if (untilDueNs > farNs) {
    setTimeout(tick, 1);
    return;
  }
  if (untilDueNs > nearNs) Atomics.wait(never, 0, 0, shortSleepMs);
  setImmediate(tick);
};

/** Within about a millisecond, for little CPU time. */
const relaxed: Pacer = (tick, untilDueNs) => {
  setTimeout(tick, untilDueNs === Number.POSITIVE_INFINITY ? 1 : Math.min(longestSleepMs, Math.ceil(untilDueNs / 1e6)));
};

export const pacers = { balanced, relaxed } as const;
