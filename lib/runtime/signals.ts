// Signals as an AbortSignal: the first asks for an orderly end, the second interrupt is the end.

/** The exit code of a process that was told to end before its work was done: 128 + SIGTERM, as shells have it. */
export const interruptedCode = 143;

const cleanups = new Set<() => void>();

/** Has `cleanup`, which must not wait, called when the process is interrupted for the second time; returns its undoing. */
export function beforeLeaving(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

type StopSignal = "SIGTERM" | "SIGHUP" | "SIGINT";

/**
 * Aborted, with the signal's name as reason, by the first SIGTERM, SIGHUP or SIGINT. The second of the `impatient` ones ends
 * the process at once, as it ends any program. By default SIGTERM is none of them: one Ctrl-C brings a worker both, from
 * terminal and parent.
 */
export function stopSignal(impatient: readonly StopSignal[] = ["SIGINT"]): AbortSignal {
  const controller = new AbortController();
  let count = 0;
  for (const name of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
    process.on(name, () => {
      controller.abort(name);
      if (!impatient.includes(name) || ++count === 1) return;
      for (const cleanup of cleanups) cleanup();
      process.removeAllListeners(name);
      process.kill(process.pid, name);
    });
  }
  return controller.signal;
}

/** Resolves when `signal` is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
