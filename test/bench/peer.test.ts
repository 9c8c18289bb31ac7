// The adapters against what the generators really print.
import { expect, test } from "bun:test";
import { columnOf, type Load, latencyOf, type Peer } from "../../scripts/driver-bench/peer.ts";
import { h2load } from "../../scripts/driver-bench/peers/h2load.ts";
import { hey } from "../../scripts/driver-bench/peers/hey.ts";
import { k6 } from "../../scripts/driver-bench/peers/k6.ts";
import { loadtest, loadtestRelaxed } from "../../scripts/driver-bench/peers/loadtest.ts";
import { metronome } from "../../scripts/driver-bench/peers/metronome.ts";
import { oha } from "../../scripts/driver-bench/peers/oha.ts";
import { vegeta } from "../../scripts/driver-bench/peers/vegeta.ts";
import { wrk, wrk2 } from "../../scripts/driver-bench/peers/wrk.ts";

const counts: Load = {
  url: "https://127.0.0.1:8443/",
  ratePerSecond: 1000,
  seconds: 2,
  connections: 64,
  timeoutSeconds: 10,
  wantsLatency: false,
};
const latency: Load = { ...counts, wantsLatency: true };
const saturation: Load = {
  url: "http://127.0.0.1:8080/",
  seconds: 2,
  connections: 64,
  timeoutSeconds: 10,
  wantsLatency: false,
};

function read(peer: Peer, stdout: string, load = counts, files: Record<string, string> = {}) {
  return peer.read({ stdout, file: (name) => files[name] ?? "" }, load);
}

test("every generator is asked for the URL, the time, the connections and, where it has one, the rate", () => {
  const paced: [Peer, string][] = [
    [loadtest, "--rate 1000"],
    [loadtestRelaxed, "--pacing relaxed"],
    [wrk2, "-R1000"],
    [hey, "-q 15.625"],
    [h2load, "--rps=15.625"],
    [vegeta, "-rate 1000/1s"],
    [oha, "-q 1000 --latency-correction"],
    [metronome, "1000"],
  ];
  for (const [peer, rate] of paced) expect(peer.args(counts, "/f").join(" ")).toContain(rate);
  for (const peer of [loadtest, wrk, hey, h2load, vegeta, oha])
    expect(peer.args(saturation, "/f").join(" ")).toContain("64");
  expect(loadtest.args(saturation, "/f")).toContain("max");
  expect(k6.files?.(counts)["load.js"]).toContain('"executor":"constant-arrival-rate","rate":1000');
  expect(k6.files?.(saturation)["load.js"]).toContain('"executor":"constant-vus","vus":64');
});

test("loadtest's summary: a bad status counts once, by its code", () => {
  const latencyUs = { mean: 1, p50: 1, p90: 2, p95: 3, p99: 4, p999: 5, max: 6 };
  const summary = {
    durationSeconds: 2,
    completed: 1940,
    failed: { resetBeforeFirstByte: 11, unexpectedStatus: 16 },
    statusCodes: { 200: 1940, 503: 16 },
    timedOut: 2,
    unsent: 0,
    inFlight: 0,
    lost: 0,
    latencyUs,
    serviceTimeUs: latencyUs,
    slipUs: latencyUs,
    valid: false,
  };
  expect(read(loadtest, JSON.stringify(summary))).toMatchObject({
    requests: 1940,
    perSecond: 970,
    latencyUs: { mean: 1, p999: 5 },
    isValid: false,
    problems: { resetBeforeFirstByte: 11, "status 503": 16, timedOut: 2 },
  });
});

test("wrk's report is the line that its script prints", () => {
  const stdout = `Running 1s test @ http://127.0.0.1:8081/
  29715 requests in 1.10s, 4.28MB read
Transfer/sec:      3.88MB
{"requests":26195,"durationUs":1000000,"connect":0,"read":274,"write":0,"timeout":0,"status":275,"latencyUs":{"mean":355.6,"p90":1.0,"p95":2.0,"p99":3.0,"p999":3845.0}}
`;
  expect(read(wrk, stdout)).toEqual({
    requests: 26195,
    perSecond: 26195,
    latencyUs: { mean: 355.6, p90: 1, p95: 2, p99: 3, p999: 3845 },
    problems: { read: 274, "status not 2xx or 3xx": 275 },
  });
});

test("hey's summary: errors of a kind add up, whatever their ports", () => {
  const stdout = `
Summary:
  Total:	2.0000 secs
  Slowest:	0.0214 secs

Response time histogram:
  0.000 [1]	|
  0.002 [5936]	|■■■■■■■■■■■■■■■■

Status code distribution:
  [200]	793 responses
  [503]	7 responses

Error distribution:
  [1]	Get "http://127.0.0.1:8081/": read tcp 127.0.0.1:50204->127.0.0.1:8081: read: connection reset by peer
  [2]	Get "http://127.0.0.1:8081/": read tcp 127.0.0.1:50514->127.0.0.1:8081: read: connection reset by peer
  [2]	Get "http://127.0.0.1:8081/": EOF
`;
  expect(read(hey, stdout)).toEqual({
    requests: 800,
    perSecond: 400,
    problems: { "status 503": 7, "connection reset by peer": 3, EOF: 2 },
  });
});

test("hey's table of responses gives latency", () => {
  const stdout = `response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
0.0140,0.0116,0.0000,0.0022,0.0002,0.0001,200,0.0697
0.0020,0.0109,0.0000,0.0022,0.0004,0.0000,200,0.0703
`;
  const { requests, latencyUs } = read(hey, stdout, latency);
  expect(requests).toBe(2);
  expect(latencyUs?.mean).toBeCloseTo(8000, 6);
  expect(latencyUs?.p99).toBeCloseTo(14_000, 6);
});

const h2loadSummary = `finished in 2.00s, 376.50 req/s, 109.94KB/s
requests: 757 total, 765 started, 753 done, 741 succeeded, 12 failed, 4 errored, 3 timeout
status codes: 741 2xx, 0 3xx, 2 4xx, 6 5xx
`;

test("h2load's summary and log", () => {
  expect(read(h2load, h2loadSummary)).toEqual({
    requests: 753,
    perSecond: 376.5,
    problems: { errored: 4, timeout: 3, "status 4xx": 2, "status 5xx": 6 },
  });
  const log = "1795438134176276\t200\t230\n1795438134176304\t200\t250\n";
  expect(read(h2load, h2loadSummary, latency, { "requests.tsv": log }).latencyUs?.mean).toBe(240);
});

test("vegeta's report and results", () => {
  const report = `{"latencies":{"mean":415584},"requests":1000,"rate":1000.4,"throughput":985,"status_codes":{"0":1,"200":985,"503":14},"errors":["EOF"]}`;
  expect(read(vegeta, report)).toEqual({ requests: 999, perSecond: 985, problems: { error: 1, "status 503": 14 } });
  const results = `1795438135197221334,200,12000000,0,3,,b2sK,,1,GET,http://127.0.0.1:8080/,Q29u
1795438135197563202,200,14000000,0,3,,b2sK,,2,GET,http://127.0.0.1:8080/,Q29u
`;
  expect(read(vegeta, results, latency)).toMatchObject({
    requests: 2,
    perSecond: 1,
    latencyUs: { mean: 13_000, p90: 14_000 },
  });
});

test("oha's report: what the deadline cut off is no problem", () => {
  const report = {
    summary: { total: 2, average: 0.001 },
    latencyPercentiles: { p90: 0.002, p95: 0.003, p99: 0.004, "p99.9": 0.005 },
    statusCodeDistribution: { "200": 90, "503": 10 },
    errorDistribution: { "aborted due to deadline": 47, "connection error": 3 },
  };
  expect(read(oha, JSON.stringify(report))).toEqual({
    requests: 100,
    perSecond: 50,
    latencyUs: { mean: 1000, p90: 2000, p95: 3000, p99: 4000, p999: 5000 },
    problems: { "connection error": 3, "status 503": 10 },
  });
});

test("k6's summary, with and without the metrics that may be absent", () => {
  const metrics = {
    http_reqs: { values: { count: 2001, rate: 1000 } },
    http_req_failed: { values: { rate: 0.009, passes: 18, fails: 1983 } },
    http_req_duration: { values: { avg: 0.5, "p(90)": 1, "p(95)": 2, "p(99)": 3, "p(99.9)": 4 } },
    dropped_iterations: { values: { count: 7, rate: 3.5 } },
  };
  expect(read(k6, JSON.stringify({ metrics }))).toEqual({
    requests: 2001,
    perSecond: 1000,
    latencyUs: { mean: 500, p90: 1000, p95: 2000, p99: 3000, p999: 4000 },
    problems: { http_req_failed: 18, dropped_iterations: 7 },
  });
  expect(read(k6, '{"metrics":{}}')).toMatchObject({ requests: 0, problems: {} });
});

test("what is no report is refused, or has no count", () => {
  for (const peer of [loadtest, wrk, vegeta, oha, k6]) expect(() => read(peer, "panic: no")).toThrow(SyntaxError);
  expect(read(h2load, "panic: no").requests).toBeNaN();
  expect(read(hey, "panic: no").perSecond).toBeNaN();
});

test("columnOf() passes over headings and empty lines, latencyOf() takes any order", () => {
  const samples = columnOf("name,us\na,30\nb,10\n\nc,20\n", ",", 1);
  expect([...samples]).toEqual([30, 10, 20]);
  expect(latencyOf(samples)).toEqual({ mean: 20, p90: 30, p95: 30, p99: 30, p999: 30 });
});
