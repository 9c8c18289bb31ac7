// Every call boundary of a history: a crash before and after each call that its undisturbed course makes.
import type { History } from "./history.ts";
import { simulate } from "./simulation.ts";

export interface BoundaryReport {
  boundaries: number;
  /** In words, with the call at which the controller was killed. */
  broken: string[];
}

export function crashEverywhere(history: History): BoundaryReport {
  const report: BoundaryReport = { boundaries: 0, broken: [] };
  const { broken, calls } = simulate(history);
  if (broken !== undefined) report.broken.push(`undisturbed: ${broken}`);
  for (let call = 1; call <= calls; call++) {
    for (const when of ["crashBefore", "crashAfter"] as const) {
      report.boundaries++;
      const outcome = simulate(history, { crashAt: { call, when }, isBrief: true });
      if (outcome.broken !== undefined) report.broken.push(`${when} call ${call} of ${calls}: ${outcome.broken}`);
    }
  }
  return report;
}
