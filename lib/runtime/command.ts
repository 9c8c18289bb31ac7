// Other programs, run to their end for what they print.

export interface CommandResult {
  exitCode: number;
  stdout: string;
}

/**
 * Runs a program without stdin, with this process's stderr and with `variables` added to its environment.
 * Rejects when it cannot be started (with the operating system's `code`) or still runs after `timeoutMs`.
 */
export async function runCommand(
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<CommandResult> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...variables },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const stdout = child.stdout.text();
  const exitCode = await child.exited;
  if (child.signalCode !== null) throw new Error(`it was ended by ${child.signalCode}, must exit in ${timeoutMs} ms`);
  return { exitCode, stdout: await stdout };
}
