// The condition TargetAnswers: whether the paths were answered as expected when they were tried before the load, and with
// how many requests, which are the target's to count and in no result.
import type { Finding } from "../loadtest/load-test-status.ts";
import type { Worker } from "./crew.ts";

/** undefined: nobody says so now. */
export function preflightFinding(workers: readonly Worker[]): Finding | undefined {
  const tried = workers.map(({ preflight }) => preflight).find((one) => one !== undefined);
  if (tried === undefined || tried.requests === 0) return undefined;
  const type = "TargetAnswers";
  const { requests, failed, example } = tried;
  const what = `Before the load, ${requests === 1 ? "1 request was" : `${requests} requests were`} sent`;
  return failed === 0
    ? { type, status: "True", reason: "AsExpected", message: `${what}, and answered as expected.` }
    : { type, status: "False", reason: "PathsFailed", message: `${what}; ${failed} failed, such as ${example}.` };
}
