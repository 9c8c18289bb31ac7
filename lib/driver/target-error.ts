// Why a connection to the target could not be made, as one of the account's failure kinds.
import type { FailureKind } from "../stats/account.ts";

export class TargetError extends Error {
  override readonly name = "TargetError";
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The kind and words for an error of the socket layer, by its code. */
export function fromSocketError(error: unknown, where: string): TargetError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return new TargetError("refused", `Cannot connect to "${where}": connection refused`);
  return new TargetError("connect", `Cannot connect to "${where}": ${message || code || "unknown error"}`);
}
