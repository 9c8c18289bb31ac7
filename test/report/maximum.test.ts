import { expect, test } from "bun:test";
import { formatMaximum, formatProbe, probeHead } from "../../lib/report/maximum.ts";
import type { Summary } from "../../lib/stats/summary.ts";
import { expectGolden } from "./golden.ts";
import { percentiles, summary } from "./summaries.ts";

const limit = 100_000;

function probe(requestsPerSecond: number | null, p99Us: number, given: Partial<Summary> = {}) {
  const isKept = p99Us <= limit;
  const judged = [
    { name: "p99", limit, measured: p99Us, passed: isKept },
    { name: "errorRate", limit: 0, measured: 0, passed: true },
  ];
  const thresholds = requestsPerSecond === null ? [] : judged;
  const made = summary({ latencyUs: percentiles(p99Us / 8), throughputPerSecond: 61_234.5, thresholds, ...given });
  const kept = requestsPerSecond === null || !(isKept || made.valid) ? null : isKept;
  return { requestsPerSecond, kept, fellBehind: false, failure: null, summary: made };
}

const saturated = {
  valid: false,
  invalidReasons: [
    "the generator's core was full for 77.8 % of the run while requests waited: more workers are needed",
  ],
};
const behind = { ...probe(60_000, 90_000), kept: false, fellBehind: true };
const found = [probe(null, 477), probe(61_235, 120_100), behind, probe(55_407, 2100), probe(58_248, 100_140)];
const refused = [
  ...found.slice(0, 2),
  { requestsPerSecond: 58_000, kept: false, fellBehind: false, failure: "connection refused", summary: null },
  probe(55_407, 2100),
];
const unanswered = [probe(null, 477), { ...probe(61_235, 0, { completed: 0 }), kept: false }];
const limited = [probe(null, 477), probe(61_235, 120_100, saturated), probe(55_407, 2100)];

test.each([
  ["found", { probes: found, requestsPerSecond: 55_407, generatorLimits: [], isExact: true }, false],
  ["stopped", { probes: found.slice(0, 2), requestsPerSecond: null, generatorLimits: [], isExact: false }, true],
  [
    "stopped-at-once",
    { probes: found.slice(0, 1), requestsPerSecond: null, generatorLimits: [], isExact: false },
    true,
  ],
  ["unanswered", { probes: unanswered, requestsPerSecond: null, generatorLimits: [], isExact: true }, false],
  ["none", { probes: found.slice(0, 2), requestsPerSecond: null, generatorLimits: [], isExact: true }, false],
  ["open", { probes: refused, requestsPerSecond: 55_407, generatorLimits: [], isExact: false }, false],
  [
    "limited",
    { probes: limited, requestsPerSecond: 55_407, generatorLimits: saturated.invalidReasons, isExact: true },
    false,
  ],
])("the search for the highest rate, case %s", (name, maximum, isStopped) => {
  const lines = [probeHead, ...maximum.probes.map((probe, index) => formatProbe(probe, index + 1))];
  expectGolden(`maximum-${name}.txt`, `${lines.join("\n")}\n${formatMaximum(maximum, isStopped)}`);
  expect(lines.every((line) => line === line.trimEnd())).toBe(true);
});
