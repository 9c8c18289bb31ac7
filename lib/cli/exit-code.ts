// The exit codes of every subcommand, and the error that means "called wrongly".

import { interruptedCode } from "../runtime/signals.ts";

export const ExitCode = {
  Passed: 0,
  /** Could not do it: no connection, no file, nothing completed. */
  Failed: 1,
  Usage: 2,
  /** It ran, and did not keep a threshold. */
  ThresholdsFailed: 3,
  /** The result proves nothing, for example because the generator was the limit. */
  Inconclusive: 4,
  /** Of `worker`: a signal ended it before its schedule had; what it did until then is its result. */
  Interrupted: interruptedCode,
  /** Of `diff`, as of `kubectl diff`: something is not the same, or not everything could be looked at. */
  Differs: 1,
  CouldNotTell: 2,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The command line is at fault; the message says which argument, what it was and what it must be. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
