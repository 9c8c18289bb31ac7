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

/**
 * Within a millisecond, for little CPU time. A timer that fires late by a little puts every later one off too; when half a
 * millisecond has come together, and no response is under way, one wait is exact. It follows a timer only.
 */
function relaxed(): Pacer {
  /** What an exact wait has left; 0 after a timer. */
  let leftNs = 0;
  return (tick, untilDueNs, isExpecting) => {
    const isBegun = untilDueNs > 0 && untilDueNs < leftNs;
    const isBeginning = leftNs === 0 && !isExpecting && untilDueNs >= 0.3e6 && untilDueNs < 0.5e6;
    if (!isBegun && !isBeginning) {
      leftNs = 0;
      const ms = untilDueNs === Number.POSITIVE_INFINITY ? 1 : Math.round(untilDueNs / 1e6);
      setTimeout(tick, Math.min(longestSleepMs, Math.max(1, ms)));
      return;
    }
    leftNs = untilDueNs;
    if (untilDueNs > nearNs) Atomics.wait(never, 0, 0, (untilDueNs - nearNs) / 1e6);
    setImmediate(tick);
  };
}

/** The pacer of a driver. */
export function createPacer(pacing: "balanced" | "relaxed"): Pacer {
  return pacing === "balanced" ? balanced : relaxed();
}
