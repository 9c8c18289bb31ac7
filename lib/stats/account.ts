// The account of requests: where every scheduled one has gone. At every instant
//
//   scheduled = completed + Σ failed + timedOut + inFlight + unsent + lost
//
// An account is a plain value, as it travels in log lines and results; accounts add up.
import Type, { type Static } from "typebox";

export const failureKinds = [
  "connect",
  "refused",
  "resetBeforeFirstByte",
  "resetMidBody",
  "truncated",
  "malformed",
  "tlsChain",
  "tlsName",
  "tlsHandshake",
  "dns",
  "unexpectedStatus",
] as const;
export type FailureKind = (typeof failureKinds)[number];

function count(description: string) {
  return Type.Integer({ minimum: 0, description });
}

/** The fields of an account, for whatever has one. */
export const accountProperties = {
  scheduled: count("Requests due so far. The sum of completed, failed, timedOut, inFlight, unsent and lost."),
  sent: count("Written to a connection."),
  completed: count("Whole responses with an expected status."),
  failed: Type.Unsafe<Partial<Record<FailureKind, number>>>({
    type: "object",
    description: "Requests without such a response, by kind; kinds that never occurred are absent.",
    properties: Object.fromEntries(failureKinds.map((kind) => [kind, { type: "integer", minimum: 1 }])),
    additionalProperties: false,
  }),
  timedOut: count("No whole response within the timeout."),
  inFlight: count("Given to a connection, outcome still open."),
  unsent: count(
    "Due, but not given to a connection: still waiting, or waited for longer than the timeout and given up.",
  ),
  lost: count("Due before a worker began, late or anew, or of one that left no result: their fate is not known."),
  bytesSent: count("Bytes of requests."),
  bytesReceived: count("Bytes of responses."),
  statusCodes: Type.Unsafe<Record<string, number>>({
    type: "object",
    description: "Whole responses by status code.",
    patternProperties: { "^[1-5][0-9]{2}$": { type: "integer", minimum: 1 } },
    additionalProperties: false,
  }),
};

export const Account = Type.Object(accountProperties, { additionalProperties: false });
export type Account = Static<typeof Account>;

export function emptyAccount(): Account {
  return {
    scheduled: 0,
    sent: 0,
    completed: 0,
    failed: {},
    timedOut: 0,
    inFlight: 0,
    unsent: 0,
    lost: 0,
    bytesSent: 0,
    bytesReceived: 0,
    statusCodes: {},
  };
}

/** The account of all requests of `accounts` together. */
export function sumAccounts(accounts: readonly Account[]): Account {
  const sum = emptyAccount();
  for (const account of accounts) {
    for (const name of numericFields) sum[name] += account[name];
    addCounts(sum.failed, account.failed);
    addCounts(sum.statusCodes, account.statusCodes);
  }
  return sum;
}

const numericFields = [
  "scheduled",
  "sent",
  "completed",
  "timedOut",
  "inFlight",
  "unsent",
  "lost",
  "bytesSent",
  "bytesReceived",
] as const;

function addCounts<K extends string>(into: Partial<Record<K, number>>, from: Partial<Record<K, number>>): void {
  for (const key of Object.keys(from) as K[]) into[key] = (into[key] ?? 0) + (from[key] ?? 0);
}

export function failedCount(account: Account): number {
  return Object.values(account.failed).reduce((sum, count) => sum + count, 0);
}

/** Whether it may be what one worker tells: balanced, and with counts that numbers hold exactly. */
export function isPossible(account: Account): boolean {
  const { failed, statusCodes, ...counts } = account;
  const all = [counts, failed, statusCodes].flatMap((some) => Object.values(some));
  return all.every(Number.isSafeInteger) && imbalance(account) === 0;
}

/** scheduled less everything that is accounted for: 0, always. */
export function imbalance(account: Account): number {
  const { scheduled, completed, timedOut, inFlight, unsent, lost } = account;
  return scheduled - (completed + failedCount(account) + timedOut + inFlight + unsent + lost);
}
