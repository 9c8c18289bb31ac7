import { expect, test } from "bun:test";
import {
  emptyGeneratorReport,
  type GeneratorCounters,
  generatorFaults,
  generatorFigures,
} from "../../lib/stats/generator.ts";

function report(counters: Partial<GeneratorCounters>, slipsNs: readonly number[] = []) {
  const report = emptyGeneratorReport();
  Object.assign(report.counters, { elapsedNs: 10e9, ...counters });
  for (const slipNs of slipsNs) report.slip.record(slipNs);
  return generatorFigures(report);
}

test("a generator that kept up has no faults", () => {
  expect(generatorFaults([report({ cpuNs: 9e9 }, [1e3, 2e3])], { scheduled: 1000, lost: 0 }, 1e6)).toEqual([]);
});

test("slip counts above a millisecond and above a tenth of the latency", () => {
  expect(generatorFaults([report({}, [2e6])], { scheduled: 1000, lost: 0 }, 30e6)).toEqual([]);
  expect(generatorFaults([report({}, [0.9e6])], { scheduled: 1000, lost: 0 }, 1e6)).toEqual([]);
  expect(generatorFaults([report({}, [2e6])], { scheduled: 1000, lost: 0 }, 0)[0]).toEndWith(
    ", and nothing was answered",
  );
  expect(generatorFaults([report({}, [2e6])], { scheduled: 1000, lost: 0 }, 10e6)[0]).toContain(
    "sent late by itself: 2.0",
  );
});

test.each<[counters: Partial<GeneratorCounters>, words: string]>([
  [{ saturatedNs: 2e9 }, "core was full for 20.0 % of the run while requests waited"],
  [{ throttledNs: 1e9 }, "CPU limit stopped the generator for 10.0 %"],
  [{ neglected: 5 }, "did not reach the rate: 5 requests"],
  [{ outOfFiles: 3 }, "ran out of file descriptors: 3"],
  [{ outOfPorts: 4 }, "ran out of local ports: 4"],
])("%j is named", (counters, words) => {
  expect(generatorFaults([report({}), report(counters)], { scheduled: 1000, lost: 0 }, 1e6).join()).toContain(words);
});

test.each<[counters: Partial<GeneratorCounters>, words: string]>([
  [{ busyPauseNs: 500e6 }, "busy with itself for 5.0 % of the run, as in garbage collection"],
  [{ idlePauseNs: 300e6 }, "gave the generator no CPU for 3.0 % of the run"],
])("a generator that stood still is named, slip or no slip: %j", (counters, words) => {
  expect(generatorFaults([report(counters)], { scheduled: 1000, lost: 0 }, 1e6).join()).toContain(words);
});

test("requests of which a late worker knows nothing leave the run inconclusive", () => {
  expect(generatorFaults([report({})], { scheduled: 1000, lost: 50 }, 1e6).join()).toContain("does not know of 50");
});
