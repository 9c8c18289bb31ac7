// What an error says to a person.

/** The error's message with those of its causes, which say why. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder, must be a file",
  ENOSPC: "no space left on the device",
};

/** Why the system refused something, in words; `words` say it otherwise for some codes. */
export function systemReason(error: unknown, words: Readonly<Record<string, string>> = {}): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return words[code] ?? reasons[code] ?? message;
}
