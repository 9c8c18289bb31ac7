import { expect, test } from "bun:test";
import { formatSummary } from "../../lib/report/text.ts";
import { imbalance } from "../../lib/stats/account.ts";
import type { Summary } from "../../lib/stats/summary.ts";
import { expectGolden } from "./golden.ts";
import { part, percentiles, summary } from "./summaries.ts";

const p99 = { name: "p99", limit: 250_000, measured: 1600, passed: true };
const failing: Partial<Summary> = {
  sent: 9400,
  completed: 8000,
  failed: { refused: 12, unexpectedStatus: 1200 },
  timedOut: 180,
  inFlight: 8,
  unsent: 600,
  statusCodes: { 200: 8000, 404: 200, 503: 1000 },
  throughputPerSecond: 799.9,
};
const worker = (index: number, cpuSeconds: number, medianUs?: number) => ({
  worker: index,
  ...part(5000, medianUs),
  cpuSeconds,
});

const cases: [name: string, given: Partial<Summary>][] = [
  ["good", {}],
  ["thresholds-kept", { thresholds: [p99, { name: "errorRate", limit: 0.001, measured: 0, passed: true }] }],
  [
    "thresholds-broken",
    {
      ...failing,
      passed: false,
      thresholds: [
        p99,
        { name: "p999", limit: 3990, measured: 4000, passed: false },
        { name: "errorRate", limit: 0.001, measured: 0.2003, passed: false },
        { name: "minRate", limit: 0.99, measured: 0.7999, passed: false },
      ],
    },
  ],
  ["errors-without-thresholds", failing],
  [
    "nothing-completed",
    {
      completed: 0,
      failed: { resetBeforeFirstByte: 10_000 },
      statusCodes: {},
      throughputPerSecond: 0,
      latencyUs: percentiles(0),
      passed: false,
    },
  ],
  [
    "waiting-for-connections",
    {
      latencyUs: percentiles(30_000),
      serviceTimeUs: percentiles(10_000),
      slipUs: percentiles(20_000),
      connectionWaitUs: percentiles(19_900),
    },
  ],
  [
    "invalid",
    {
      valid: false,
      passed: null,
      invalidReasons: [
        "the generator sent late by itself: 5.41 ms at the 99th percentile, where the latency is 21.10 ms (the machine gave it no CPU for 314.82 ms)",
        "the generator ran out of file descriptors: 12 connections could not be opened",
      ],
    },
  ],
  ["closed-loop", { askedPerSecond: null, slipUs: percentiles(0), generatorSlipUs: percentiles(0) }],
  [
    "paths",
    {
      paths: [
        { path: "/index.html", ...part(5000) },
        {
          path: "POST /a/path/that/is/longer/than/its/column?and=more",
          ...part(4990, 400),
          failed: { unexpectedStatus: 10 },
        },
      ],
    },
  ],
  [
    "a-path-without-answers",
    {
      completed: 9999,
      failed: { refused: 1 },
      paths: [
        { path: "/", ...part(9999) },
        { path: "/refused", ...part(1, 0), completed: 0, failed: { refused: 1 } },
      ],
    },
  ],
  ["workers-alike", { workers: [worker(0, 6.2), worker(1, 7.1)] }],
  ["workers-that-differ", { workers: [worker(0, 6.2), worker(1, 9.9, 900)] }],
];

test.each(cases)("the summary of a run, case %s", (name, given) => {
  const made = summary(given);
  expect(imbalance(made)).toBe(0);
  expectGolden(`summary-${name}.txt`, formatSummary(made));
});

test("a summary fits into 80 columns", () => {
  const lines = cases.flatMap(([, given]) => formatSummary(summary(given)).split("\n"));
  expect(lines.filter(({ length }) => length > 80)).toEqual([]);
});

const lastLine = (given: Partial<Summary>) => formatSummary(summary(given)).trimEnd().split("\n").at(-1) ?? "";

test("what nobody knows anything of has not failed", () => {
  expect(lastLine({ completed: 0, lost: 10_000, valid: false, passed: null })).toStartWith("INVALID");
  expect(lastLine({ completed: 0, unsent: 10_000, valid: false, passed: false })).toStartWith("FAILED");
});

test("a run that was stopped before its start has no CPU use that cannot be", () => {
  const text = formatSummary(summary({ ...part(0), durationSeconds: 0, passed: false }));
  expect(text).toContain("used 0 % of a core");
});
