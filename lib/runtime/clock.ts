// The only source of time. Everything that decides takes instants as arguments; everything that acts reads them here.
import { writeFileSync } from "node:fs";

/** Wall-clock time, milliseconds since the Unix epoch. */
export function nowMs(): number {
  return Date.now();
}

/** Monotonic time in nanoseconds from an arbitrary origin; for intervals only. */
export const monotonicNs: () => number = Bun.nanoseconds;

/** The monotonic instant (ns) at which the wall clock shows `wallMs`, by the two clocks' present distance. */
export function monotonicFromWall(wallMs: number): number {
  return monotonicNs() + (wallMs - Date.now()) * 1e6;
}

/** Resolves after `delayMs`, or at once when `signal` is aborted; never rejects. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, delayMs);
    signal?.addEventListener("abort", wake);
  });
}

/**
 * Asks the kernel not to put this thread's wake-ups off, which it does by 50 µs to save power; a sleep of 30 µs then
 * takes 70 instead of 120. Without effect where /proc cannot be written.
 */
export function askForPreciseTimers(): void {
  try {
    writeFileSync("/proc/self/timerslack_ns", "1");
  } catch {
    // Another kernel, or a sandbox: timers stay as they are, and the slip shows it.
  }
}
