// Why a connection to the target could not be made, as one of the account's failure kinds.
import { hasFreeFileDescriptor } from "../runtime/files.ts";
import type { FailureKind } from "../stats/account.ts";

export class TargetError extends Error {
  override readonly name = "TargetError";
  readonly kind: FailureKind;
  /** The operating system's, such as EMFILE; empty when it gave none. */
  readonly code: string;

  constructor(kind: FailureKind, message: string, code = "") {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** The kind and words for an error of the socket layer, by its code. */
export function fromSocketError(error: unknown, where: string): TargetError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (!hasFreeFileDescriptor()) {
    // which Bun reports as a refused connection
    return new TargetError("connect", `Cannot connect to "${where}": too many open files`, "EMFILE");
  }
  if (code === "ECONNREFUSED") {
    return new TargetError("refused", `Cannot connect to "${where}": connection refused`, code);
  }
  return new TargetError("connect", `Cannot connect to "${where}": ${message || code || "unknown error"}`, code);
}
