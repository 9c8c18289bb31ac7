// Waiting for the world to become so, with words for what is still missing.
import { ApiError } from "../kube/api-error.ts";
import { ConnectionError } from "../kube/connection-error.ts";
import { formatDuration } from "../loadtest/duration.ts";
import { monotonicNs, sleep } from "../runtime/clock.ts";

const lookMs = 250;

export interface Patience {
  readonly timeoutMs: number;
  /** Ends it, with its reason. */
  readonly stop: AbortSignal;
  /** Told what is missing, as often as somebody looks. */
  readonly tell: (words: string) => void;
}

/**
 * Looks until nothing is missing any more. Rejects with what is still missing when the time is over, and with whatever an
 * API server says that is not just away.
 *
 * @param what Begins the message: `Cannot start the controller`.
 */
export async function waitUntil(
  what: string,
  missing: () => Promise<string | undefined>,
  { timeoutMs, stop, tell }: Patience,
): Promise<void> {
  const deadlineNs = monotonicNs() + timeoutMs * 1e6;
  for (;;) {
    const words = await missing().catch(passing);
    if (words === undefined) return;
    tell(words);
    if (stop.aborted) throw new Error(`${what}: interrupted by ${stop.reason}; ${words}`);
    if (monotonicNs() > deadlineNs) throw new Error(`${what}: after ${formatDuration(timeoutMs * 1e6)} ${words}`);
    await sleep(lookMs, stop);
  }
}

/** What may pass, in words. */
function passing(error: unknown): string {
  const isAway =
    error instanceof ConnectionError || (error instanceof ApiError && (error.code >= 500 || error.code === 429));
  if (isAway) return error.message;
  throw error;
}
