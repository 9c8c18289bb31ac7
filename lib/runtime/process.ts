// What this process is: its command line and its environment.

/** The command that starts this program again: the compiled binary alone, or Bun with the entry file. */
export function selfCommand(): string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** An environment variable; undefined when unset or empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}
