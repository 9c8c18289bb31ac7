import { expect, test } from "bun:test";
import { ArrivalLog } from "../../lib/target/arrival-log.ts";

test("instants are kept in order across pages, up to the bound", () => {
  for (const [added, bound] of [
    [0, 10],
    [10, 10],
    [11, 10],
    [65_536, 1_000_000],
    [65_537, 1_000_000],
    [200_000, 150_000],
  ] as const) {
    const log = new ArrivalLog(bound);
    for (let i = 0; i < added; i++) log.add(i * 7);
    expect(log.instantsNs()).toEqual(Float64Array.from({ length: Math.min(added, bound) }, (_, i) => i * 7));
  }
});
