// Figures of controllers: a row each with medians, and the ratios to the one compared with.
import { median, medianInterval, pairRatios } from "../driver-bench/statistics.ts";
import { formatFigure, formatRatio, formatTable } from "../driver-bench/table.ts";
import type { Contender } from "./contender.ts";

export interface Figure<Result> {
  name: string;
  of: (result: Result) => number;
  /** What the ratio of ours to the other's is held against. */
  bar?: number;
}

/** The results of a suite: loadtest's first. */
export function figureTable<Result>(
  results: ReadonlyMap<Contender, readonly Result[]>,
  figures: readonly Figure<Result>[],
): string {
  const rows = [...results].map(([{ name }, ofContender]) => [
    name,
    ...figures.map(({ of }) => formatFigure(median(ofContender.map(of)))),
  ]);
  const [first, second] = [...results];
  const isCompared = second !== undefined && second[0].callsMetric !== first?.[0].callsMetric;
  const ratio = ({ of, bar }: Figure<Result>) =>
    bar === undefined
      ? ""
      : formatRatio(medianInterval(pairRatios((first?.[1] ?? []).map(of), (second?.[1] ?? []).map(of))), bar, {
          above: `above ${bar}`,
          below: `below ${bar}`,
        });
  const ratios = isCompared ? [["the first ÷ the second", ...figures.map(ratio)]] : [];
  return formatTable(["controller", ...figures.map(({ name }) => name)], [...rows, ...ratios]);
}
