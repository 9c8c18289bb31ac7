// Contenders in turn, round after round, so that whatever else the machine does meets all of them alike.
import type { Bench } from "./bench.ts";

/** Runs each contender once a round. One that fails is said so and left out from then on; its results so far are dropped. */
export async function alternate<Contender extends { name: string }, Result>(
  bench: Pick<Bench, "say" | "stop">,
  what: string,
  runs: number,
  contenders: readonly Contender[],
  run: (contender: Contender) => Promise<Result>,
): Promise<Map<Contender, Result[]>> {
  const results = new Map(contenders.map((contender): [Contender, Result[]] => [contender, []]));
  for (let round = 1; round <= runs; round++) {
    for (const [contender, ofContender] of results) {
      bench.say(`${what}, ${contender.name}, run ${round} of ${runs}`);
      try {
        ofContender.push(await run(contender));
      } catch (error: unknown) {
        bench.stop.throwIfAborted();
        bench.say(`  left out: ${(error as Error).message}`);
        results.delete(contender);
      }
    }
  }
  return results;
}
