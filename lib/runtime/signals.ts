// Signals as an AbortSignal: the first asks for an orderly end, the second interrupt is the end.

const cleanups = new Set<() => void>();

/** Has `cleanup`, which must not wait, called when the process is interrupted for the second time; returns its undoing. */
export function beforeLeaving(cleanup: () => void): () => void {
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

/**
 * Aborted, with the signal's name as reason, by the first SIGTERM, SIGHUP or SIGINT. The second SIGINT ends the process at once,
 * as an interrupt ends any program. SIGTERM does not count: one Ctrl-C brings a worker both, from terminal and parent.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let interrupts = 0;
  for (const name of ["SIGTERM", "SIGHUP"] as const) process.on(name, () => controller.abort(name));
  process.on("SIGINT", () => {
    controller.abort("SIGINT");
    if (++interrupts === 1) return;
    for (const cleanup of cleanups) cleanup();
    process.removeAllListeners("SIGINT");
    process.kill(process.pid, "SIGINT");
  });
  return controller.signal;
}
