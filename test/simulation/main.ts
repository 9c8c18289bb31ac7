// Simulations on their own, by scripts/simulate and by the test:
//   main.ts histories FIRST COUNT    histories by chance; those that end badly are printed, cut short
//   main.ts scale N,N…               what LoadTests of so many workers cost
//   main.ts boundaries PART OF      each scenario of that part (from 0) with a crash at every call boundary
import { crashEverywhere } from "./boundaries.ts";
import { randomHistory } from "./history.ts";
import { explain } from "./report.ts";
import { scaleTables } from "./scale.ts";
import { scenarios } from "./scenarios.ts";
import { simulate } from "./simulation.ts";

/** Of those that end badly, so many are told of in full. */
const mostExplained = 3;

function simulateMany(first: number, count: number): number {
  const bad: number[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const history = randomHistory(seed);
    if (simulate(history).broken !== undefined && bad.push(seed) <= mostExplained) console.log(explain(history));
  }
  console.log(
    `${count} histories from seed ${first}, ${bad.length} ended badly${bad.length > 0 ? `: ${bad.join(" ")}` : ""}`,
  );
  return bad.length;
}

function crashAll(part: number, of: number): number {
  let boundaries = 0;
  let bad = 0;
  const chosen = Object.entries(scenarios).filter((_, index) => index % of === part);
  for (const [name, history] of chosen) {
    const report = crashEverywhere(history);
    boundaries += report.boundaries;
    bad += report.broken.length;
    for (const words of report.broken) console.log(`${name}: ${words}`);
  }
  console.log(`${boundaries} call boundaries of ${chosen.length} scenarios, ${bad} ended badly`);
  return bad;
}

const [what, first = "", count] = process.argv.slice(2);
if (what === "scale") console.log(scaleTables(first.split(",").map(Number)));
else {
  const bad =
    what === "boundaries" ? crashAll(Number(first), Number(count)) : simulateMany(Number(first), Number(count));
  process.exitCode = bad === 0 ? 0 : 1;
}
