// Durations on the command line, within bounds.
import { InvalidArgumentError } from "commander";
import { parseDuration } from "../loadtest/duration.ts";

/** For commander: a duration from `least` to `most`, in nanoseconds. */
export function parseDurationFlag(least: string, most: string): (text: string) => number {
  return (text) => {
    const ns = parseDuration(text);
    if (ns !== undefined && ns >= (parseDuration(least) as number) && ns <= (parseDuration(most) as number)) return ns;
    throw new InvalidArgumentError(`It must be a duration from ${least} to ${most}.`);
  };
}
