// For commander: `--threshold p99=250ms`, `--threshold errorRate=0.1%`, `--threshold minRate=99%`.
import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../loadtest/duration.ts";
import { parsePercent } from "../loadtest/percent.ts";
import { latencyQuantiles, type Threshold } from "../stats/threshold.ts";

export function thresholdOption(): Option {
  const names = [...Object.keys(latencyQuantiles), "errorRate", "minRate"].join(", ");
  return new Option(
    "--threshold <name=limit>",
    `what must be kept to pass, such as p99=250ms, errorRate=0.1% or minRate=99%; may be given again (${names})`,
  ).argParser((text: string, former: Threshold[] | undefined) => [...(former ?? []), parseThreshold(text)]);
}

function parseThreshold(text: string): Threshold {
  const [, name = "", limit = ""] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (Object.hasOwn(latencyQuantiles, name)) {
    const value = parseDuration(limit);
    if (value !== undefined && value > 0) return { name: name as Threshold["name"], value };
    throw new InvalidArgumentError(`The limit of ${name} must be a duration above 0s, such as ${name}=250ms.`);
  }
  if (name === "errorRate" || name === "minRate") {
    const value = parsePercent(limit);
    if (value !== undefined) return { name, value };
    throw new InvalidArgumentError(`The limit of ${name} must be a percentage up to 100, such as ${name}=0.5%.`);
  }
  const names = [...Object.keys(latencyQuantiles), "errorRate", "minRate"].join(", ");
  throw new InvalidArgumentError(`It must be NAME=LIMIT with one of the names ${names}.`);
}
