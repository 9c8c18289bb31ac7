import { expect, test } from "bun:test";
import { formatReport, type TargetReport, targetReport } from "../../lib/target/report.ts";
import { Tally } from "../../lib/target/tally.ts";

const report: TargetReport = {
  kind: "report",
  requests: 12_000,
  firstArrivalAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  lastArrivalAtMs: Date.UTC(2026, 0, 2, 3, 4, 17, 5),
  ratePerSecond: 1000.04,
  jitterUs: { p50: 1.234, p90: 5.06, p99: 30, max: 57_189.74 },
  jitterArrivals: 10_000,
  paths: [
    { path: "/index.html", requests: 11_000 },
    { path: "other", requests: 1000 },
  ],
  connections: 64,
  connectionErrors: 2,
  bytesReceived: 1_234_567,
  bytesSent: 840_000,
  statusCodes: { 200: 11_889, 302: 10, 431: 1 },
  framings: { chunked: 10_000, length: 1900 },
  faults: { reset: 100, redirect: 10 },
};

test("the text report is aligned, and says when the jitter leaves arrivals out", () => {
  expect(formatReport(report)).toBe(`\
requests           12,000
first arrival      2026-01-02T03:04:05.006Z
last arrival       2026-01-02T03:04:17.005Z
rate               1,000.0 requests/s
jitter             p50 1.2 µs, p90 5.1 µs, p99 30.0 µs, max 57,189.7 µs off an even schedule
                   of the first 10,000 arrivals only (--max-arrivals)
connections        64
connection errors  2
received           1,234,567 bytes
sent               840,000 bytes
responses          11,889 × 200, 10 × 302, 1 × 431
framings           10,000 × chunked, 1,900 × length
faults             100 × reset, 10 × redirect
paths
  /index.html  11,000
  other        1,000
`);
});

test("a target that nothing reached says so without made-up figures", () => {
  const empty = targetReport(new Tally(10), [], (instantNs) => instantNs);
  expect(empty).toMatchObject({ requests: 0, firstArrivalAtMs: null, ratePerSecond: null, jitterUs: null, paths: [] });
  expect(formatReport(empty)).toBe(`\
requests     0
connections  0
received     0 bytes
sent         0 bytes
responses    none
`);
});
