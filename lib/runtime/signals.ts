// Signals as an AbortSignal: the first asks for an orderly end.

/** Aborted, with the signal's name as reason, by the first SIGTERM or SIGINT. The second SIGINT ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (!controller.signal.aborted) controller.abort(name);
      else if (name === "SIGINT") process.kill(process.pid, "SIGKILL");
    });
  }
  return controller.signal;
}
