// When a status that differs from the stored one is written: figures now and then, everything else at once.
import { isDeepStrictEqual } from "node:util";
import type { LoadTestStatus } from "../loadtest/load-test-status.ts";

/** Between two writes of figures alone. */
const figuresPeriodMs = 5000;

/** How long a write has to wait: 0, now; undefined: there is nothing to write. `writtenAtMs`: the last one, if known. */
export function statusWriteDelayMs(
  before: LoadTestStatus | undefined,
  after: LoadTestStatus,
  writtenAtMs: number | undefined,
  nowMs: number,
): number | undefined {
  if (isDeepStrictEqual(before, before?.timeline === undefined ? withoutTimeline(after) : after)) return undefined;
  const isKnown = writtenAtMs !== undefined && writtenAtMs <= nowMs; // else the clock was set back
  if (!isKnown || !differsInFiguresAlone(before, after)) return 0;
  return Math.max(0, writtenAtMs + figuresPeriodMs - nowMs);
}

/** What API servers leave out whose kinds are older. It comes along with the next write. */
function withoutTimeline({ timeline: _, ...rest }: LoadTestStatus): LoadTestStatus {
  return rest;
}

/** Whether they differ in nothing but figures, if at all. */
export function differsInFiguresAlone(before: LoadTestStatus | undefined, after: LoadTestStatus | undefined): boolean {
  return isDeepStrictEqual(withoutFigures(before), withoutFigures(after));
}

/** Messages of conditions name figures too. */
function withoutFigures(status: LoadTestStatus | undefined): object {
  const { display: _, timeline: __, conditions = [], ...rest } = status ?? {};
  return { ...rest, conditions: conditions.map(({ message: ___, ...condition }) => condition) };
}
