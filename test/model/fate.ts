// What can befall a call on its way to the API server and back.

export const fates = [
  /** The connection is refused. */
  "refused",
  /** 429, again and again. */
  "throttled",
  /** 500, and nothing has happened. */
  "failed",
  /** No answer in time, and nothing has happened. */
  "lost",
  /** No answer in time, but it has happened. */
  "unanswered",
  /** 500, but it has happened. */
  "failedAfterwards",
  /** It is held up on its way, and happens seconds later, maybe after the caller has given up. */
  "late",
  /** It has happened, and the answer comes seconds later: by then it is stale. */
  "slow",
  /** The caller dies before it happens, and after. */
  "crashBefore",
  "crashAfter",
] as const;

export type Fate = "served" | (typeof fates)[number];
