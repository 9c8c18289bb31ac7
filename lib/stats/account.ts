// The account of requests: where every scheduled one has gone. At every instant
//
//   scheduled = completed + Σ failed + timedOut + inFlight + unsent + lost
//
// An account is a plain value, as it travels in log lines and results; accounts add up.

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

export interface Account {
  /** Due so far by the schedule. */
  scheduled: number;
  /** Written to a connection. */
  sent: number;
  /** Whole responses with an expected status. */
  completed: number;
  /** Without a whole response of an expected status, by kind; kinds that never occurred are absent. */
  failed: Partial<Record<FailureKind, number>>;
  timedOut: number;
  /** Given to a connection, outcome still open. */
  inFlight: number;
  /** Due, but not given to a connection: still waiting, or waited for longer than the timeout and given up. */
  unsent: number;
  /** Due before a restarted worker began anew: the one before it died before it could say what became of them. */
  lost: number;
  bytesSent: number;
  bytesReceived: number;
  /** Whole responses by status code. */
  statusCodes: Record<string, number>;
}

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

/** scheduled less everything that is accounted for: 0, always. */
export function imbalance(account: Account): number {
  const { scheduled, completed, timedOut, inFlight, unsent, lost } = account;
  return scheduled - (completed + failedCount(account) + timedOut + inFlight + unsent + lost);
}
