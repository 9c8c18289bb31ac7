// Whether the results of a load and the server's own log tell the same story.
import { expect } from "bun:test";
import type { LoadTestResults } from "../../lib/loadtest/load-test-results.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import type { Access } from "./access-log.ts";

/**
 * The server has counted what was sent, and maybe what nobody knows of; everything that was due is accounted for. A busy
 * machine may keep workers from beginning in time: where more than one in a thousand is lost by that, the results say that
 * they are worth nothing.
 */
export function expectAccounted(results: LoadTestResults, log: readonly Access[]): void {
  const { scheduled, sent, completed, failed, timedOut, inFlight, unsent, lost, valid } = results;
  const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
  expect(completed + failures + timedOut + inFlight + unsent + lost).toBe(scheduled);
  expect(log.length).toBeGreaterThanOrEqual(sent);
  expect(log.length).toBeLessThanOrEqual(sent + lost);
  if (valid) expect(lost).toBeLessThanOrEqual(scheduled / 1000);
}

/** How often the server was asked before the load, to see whether it answers: that is in no result. */
export function preflightsOf({ conditions = [] }: LoadTestStatus): number {
  const { message = "" } = conditions.find(({ type }) => type === "TargetAnswers") ?? {};
  return Number(message.match(/\d+(?= requests? w)/)?.[0] ?? 0);
}
