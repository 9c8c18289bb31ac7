// Checks side by side. What one of them cannot see, or does not see in time, is said of that one alone.
import { type Finding, failure, warning } from "../../cert/finding.ts";
import { ApiError, isForbidden } from "../../kube/api-error.ts";
import { messageOf } from "../../runtime/error-message.ts";

export interface Check {
  subject: string;
  look: () => Promise<readonly Finding[]>;
}

/** In the order of the checks. Never rejects; checks that have not ended when `late` is aborted have failed. */
export async function runChecks(checks: readonly Check[], late: AbortSignal): Promise<Finding[]> {
  const tooLate = new Promise<never>((_, reject) => {
    const give = () => reject(new TooLate());
    if (late.aborted) give();
    else late.addEventListener("abort", give, { once: true });
  });
  tooLate.catch(() => undefined); // nobody may be waiting any more
  const all = checks.map(async ({ subject, look }): Promise<readonly Finding[]> => {
    try {
      return await Promise.race([look(), tooLate]);
    } catch (error: unknown) {
      return [unseen(subject, late.aborted ? new TooLate() : error)];
    }
  });
  return (await Promise.all(all)).flat();
}

class TooLate extends Error {}

function unseen(subject: string, error: unknown): Finding {
  if (error instanceof TooLate) {
    return failure(subject, "not known: no answer in time", "give it more time (--deadline), or see what holds it up");
  }
  if (isForbidden(error)) return warning(subject, `not known: ${refusalIn(error.said)}`, "ask somebody who may look");
  const words = error instanceof ApiError ? `${error.code} ${error.reason}: ${error.said}` : messageOf(error);
  return failure(subject, `not known: ${words}`, "see what the API server complains of, and look again");
}

/** `you may not list nodes`, of what RBAC says; other words as they are. */
function refusalIn(said: string): string {
  const [, verb, resource, group] = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"/.exec(said) ?? [];
  return verb === undefined ? said : `you may not ${verb} ${resource}${group === "" ? "" : `.${group}`}`;
}
