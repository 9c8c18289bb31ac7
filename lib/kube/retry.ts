// The one place that decides whether a call to the API server is made again, and when.
import { ApiError } from "./api-error.ts";
import { ConnectionError } from "./connection-error.ts";

const maxAttempts = 5;
const maxWaitMs = 30_000;

/**
 * Milliseconds to wait before the next attempt; undefined: the error is final.
 *
 * Made again are calls that the server turned away unread (429, 503 with Retry-After), calls that met no server at all,
 * and reads whose connection broke. A write that may have happened never is.
 *
 * @param attempt Attempts so far, at least 1.
 * @param waitedMs Waited so far between them.
 */
export function retryDelayMs(error: unknown, method: string, attempt: number, waitedMs: number): number | undefined {
  const delayMs = wantedDelayMs(error, method, attempt);
  return delayMs === undefined || attempt >= maxAttempts || waitedMs + delayMs > maxWaitMs ? undefined : delayMs;
}

function wantedDelayMs(error: unknown, method: string, attempt: number): number | undefined {
  const backoffMs = 100 * 2 ** (attempt - 1);
  if (error instanceof ApiError) {
    if (error.code === 429) return Math.max((error.retryAfterSeconds ?? 1) * 1000, backoffMs);
    if (error.code === 503 && error.retryAfterSeconds !== undefined) {
      return Math.max(error.retryAfterSeconds * 1000, backoffMs);
    }
  } else if (error instanceof ConnectionError) {
    if (error.failure === "refused" || (error.failure === "reset" && method === "GET")) return backoffMs;
  }
  return undefined;
}
