// What is said of a history that ended badly: what was wrong, the shortest history that does the same, and its course.
import { formatHistory, type History } from "./history.ts";
import { shrink } from "./shrinking.ts";
import { simulate } from "./simulation.ts";

export function explain(history: History): string {
  const shortest = shrink(history, (shorter) => simulate(shorter).broken !== undefined);
  const { broken, trace } = simulate(shortest, { isTraced: true });
  return [`${broken}`, formatHistory(shortest), ...trace].join("\n");
}
