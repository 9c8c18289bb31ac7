// Why a worker ended without a result, as its container's termination message, and back. Whoever may edit Pods may write
// such a message: what is read back is checked, and anything else is no failure of a worker's own telling.
import { type FailureKind, failureKinds } from "./account.ts";

export interface WorkerFailure {
  /** What kept it from the target; other: something else, such as its plan or a file. */
  reason: FailureKind | "other";
  message: string;
}

/** A termination message holds 4096 bytes, and a message cut short is no JSON. */
const messageMaxLength = 500;

export function formatWorkerFailure({ reason, message }: WorkerFailure): string {
  return `${JSON.stringify({ kind: "failure", reason, message: message.slice(0, messageMaxLength) })}\n`;
}

/** The failure in a termination message; undefined for any other text. */
export function parseWorkerFailure(text: string): WorkerFailure | undefined {
  if (!text.startsWith('{"kind":"failure"')) return undefined;
  try {
    const { reason, message } = JSON.parse(text) as Partial<Record<string, unknown>>;
    return isReason(reason) && typeof message === "string" ? { reason, message } : undefined;
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isReason(value: unknown): value is WorkerFailure["reason"] {
  return value === "other" || failureKinds.some((kind) => kind === value);
}
