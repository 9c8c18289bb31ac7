// What to make of a run: whether the generator did its part, and whether the target passed.
import type { Summary } from "../stats/summary.ts";
import { paragraph } from "./paragraph.ts";
import { formatNumberOf } from "./quantity.ts";

/** The verdict last. */
export function verdictLines(summary: Summary): string[] {
  const { workers, durationSeconds, valid, invalidReasons } = summary;
  const cpu = cpuUse(workers.map(({ cpuSeconds }) => (durationSeconds === 0 ? 0 : cpuSeconds / durationSeconds)));
  return [
    ...paragraph("Generator", `${cpu}, ${valid ? "was not the limit" : "was the limit:"}`),
    ...invalidReasons.flatMap((reason) => paragraph("", reason)),
    ...verdict(summary),
  ];
}

/** `used 62 % of a core`, `used 62 to 80 % of a core in each of 4 workers`. */
function cpuUse(cores: readonly number[]): string {
  const percents = cores.map((share) => Math.round(share * 100));
  const [least, most] = [Math.min(...percents), Math.max(...percents)];
  const use = least === most ? `${most} %` : `${least} to ${most} %`;
  return `used ${use} of a core${percents.length === 1 ? "" : ` in each of ${percents.length} workers`}`;
}

function verdict({ scheduled, completed, passed, thresholds }: Summary): string[] {
  if (passed === null) return paragraph("INVALID", "the generator was the limit: nothing is known about the target");
  if (completed === 0) return paragraph("FAILED", "not one request completed");
  const broken = thresholds.filter(({ passed }) => !passed).length;
  if (broken > 0) return paragraph("FAILED", `${broken} of ${thresholds.length} thresholds broken`);
  const missed = scheduled - completed;
  const done = missed === 0 ? "every request completed" : `${formatNumberOf(missed, "request")} did not complete`;
  if (thresholds.length > 0) return paragraph("PASSED", `all thresholds kept, ${done}`);
  return paragraph("PASSED", missed === 0 ? done : `${done}, and no threshold limits that`);
}
