import { expect, test } from "bun:test";
import { emptyAccount } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { judge, type Threshold } from "../../lib/stats/threshold.ts";

const latency = new Histogram();
for (let i = 1; i <= 100; i++) latency.record(i * 1e6);
const account = { ...emptyAccount(), scheduled: 100, completed: 98, failed: { refused: 1 }, timedOut: 1 };
const measured = { account, latency, throughputPerSecond: 98, askedPerSecond: 100 };

test.each<[threshold: Threshold, passed: boolean]>([
  [{ name: "p50", value: 51e6 }, true],
  [{ name: "p50", value: 49e6 }, false],
  [{ name: "p99", value: 100e6 }, true],
  [{ name: "p999", value: 99e6 }, false],
  [{ name: "errorRate", value: 0.02 }, true],
  [{ name: "errorRate", value: 0.019 }, false],
  [{ name: "minRate", value: 0.98 }, true],
  [{ name: "minRate", value: 0.981 }, false],
])("the threshold %j is kept: %p", (threshold, passed) => {
  expect(judge(threshold, measured)).toMatchObject({ name: threshold.name, passed });
});

test.each([null, 0])(
  "a closed loop, and one in which nothing was due (%p), ask for no rate, and so keep any",
  (askedPerSecond) => {
    const nothing = { ...measured, throughputPerSecond: 0, askedPerSecond };
    expect(judge({ name: "minRate", value: 1 }, nothing)).toMatchObject({ measured: 1, passed: true });
  },
);
