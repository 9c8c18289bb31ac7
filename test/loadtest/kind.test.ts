import { expect, test } from "bun:test";
import { readDocuments } from "../../lib/loadtest/documents.ts";
import { formatDuration, parseDuration } from "../../lib/loadtest/duration.ts";
import { formatFieldError } from "../../lib/loadtest/field-error.ts";
import { canaryKind, loadTestKind } from "../../lib/loadtest/kind.ts";
import { formatPercent, parsePercent } from "../../lib/loadtest/percent.ts";
import { effectiveThresholds } from "../../lib/loadtest/thresholds.ts";

const good = {
  apiVersion: "beta.kuar.com/v1",
  kind: "LoadTest",
  metadata: { name: "my-loadtest" },
  spec: { service: "my-service", scheme: "https", requestsPerSecond: 1000 },
};

function verdict(spec: object, metadata: object = {}): string[] {
  const object = { ...good, metadata: { ...good.metadata, ...metadata }, spec: { ...good.spec, ...spec } };
  return loadTestKind.judge(object).errors.map(formatFieldError);
}

test("the three required fields are enough", () => {
  expect(loadTestKind.judge(good).errors).toEqual([]);
});

test.each<[spec: object, errors: string[]]>([
  [{ paths: [] }, []],
  [
    { paths: ["/", "/a?b=c&d", "/%20"], port: 65535, duration: "1h30m", workers: 500, connections: 1, timeout: "1.5s" },
    [],
  ],
  [{ duration: "168h", timeout: "1ms" }, []],
  [{ tls: {} }, []],
  [{ tls: { caFrom: { configMapKeyRef: { name: "ca", key: "ca.crt" } } } }, []],
  [{ thresholds: { latency: { p50: "1us", p90: "1.5ms", p999: "10m" }, errorRate: "0.1%", minRate: "100%" } }, []],
  [{ thresholds: { latency: {} } }, []],
  [
    { thresholds: { latency: { p50: "999ns", p99: "10m1ns" }, minRate: "99%" } },
    [
      'spec.thresholds.latency.p50: "999ns", must be a duration from 1us to 10m',
      'spec.thresholds.latency.p99: "10m1ns", must be a duration from 1us to 10m',
    ],
  ],
  [
    { thresholds: { latency: { p98: "1s", p95: "1" }, errorRate: "0.1", minRate: "100.1%" } },
    [
      'spec.thresholds.latency.p98: "1s", must be one of the fields p50, p90, p95, p99, p999',
      'spec.thresholds.latency.p95: "1", must be a duration from 1us to 10m, such as 250ms',
      'spec.thresholds.errorRate: "0.1", must be a percentage from 0% to 100%, such as 0.1%',
      'spec.thresholds.minRate: "100.1%", must be a percentage from 0% to 100%, such as 99%',
    ],
  ],
  [{ requestsPerSecond: 0 }, ["spec.requestsPerSecond: 0, must be an integer from 1 to 1000000"]],
  [{ requestsPerSecond: 1.5 }, ["spec.requestsPerSecond: 1.5, must be an integer from 1 to 1000000"]],
  [{ requestsPerSecond: "10" }, ['spec.requestsPerSecond: "10", must be an integer from 1 to 1000000']],
  [{ scheme: "HTTP" }, ['spec.scheme: "HTTP", must be http or https']],
  [{ port: 0 }, ["spec.port: 0, must be a port number from 1 to 65535"]],
  [{ duration: "999ms" }, ['spec.duration: "999ms", must be a duration from 1s to 168h']],
  [{ timeout: "11m" }, ['spec.timeout: "11m", must be a duration from 1ms to 10m']],
  [{ scheme: "http", tls: {} }, ["spec.tls: {}, must be absent unless scheme is https"]],
  [
    { tls: { caFrom: {} } },
    ["spec.tls.caFrom: {}, must be an object with exactly one of configMapKeyRef and secretKeyRef"],
  ],
])("spec %j has the errors %j", (spec, errors) => {
  expect(verdict(spec)).toEqual(errors);
});

test("all errors come at once, unknown fields among them", () => {
  const wrong = { service: "A", scheme: "ftp", requestsPerSecond: -1, port: 99999, connectoins: 3 };
  const fields = verdict(wrong).map((line) => line.split(":")[0]);
  expect(fields.toSorted()).toEqual([
    "spec.connectoins",
    "spec.port",
    "spec.requestsPerSecond",
    "spec.scheme",
    "spec.service",
  ]);
});

test("names are DNS labels of at most 45 characters", () => {
  expect(verdict({}, { name: "a".repeat(45) })).toEqual([]);
  expect(verdict({}, { name: "a".repeat(46) })[0]).toContain("metadata.name");
  expect(verdict({}, { name: "a.b" })[0]).toContain("metadata.name");
});

test.each([[null], ["text"], [3], [[]], [{}], [{ ...good, spec: null }]])("%j is refused, not thrown at", (object) => {
  expect(loadTestKind.judge(object).errors.length).toBeGreaterThan(0);
});

test("null is as good as absent, but not in a list, and not in a field that there is not", () => {
  expect(verdict({ paths: null, tls: { caFrom: null }, port: null })).toEqual([]);
  expect(verdict({ scheme: null })).toEqual(["spec.scheme: is missing, must be http or https"]);
  expect(verdict({ paths: [null], connectoins: null }).length).toBe(2);
});

test("a missing field is named with what it must be", () => {
  const { scheme: _, ...spec } = good.spec;
  expect(loadTestKind.judge({ ...good, spec }).errors.map(formatFieldError)).toEqual([
    "spec.scheme: is missing, must be http or https",
  ]);
});

const eitherOr = "must be given unless canary is, exactly one of the two";

test.each<[spec: object, errors: string[]]>([
  [{ canary: "split" }, []],
  [{}, [`spec.service: is missing, ${eitherOr}`]],
  [{ service: "web", canary: "split" }, [`spec.service: "web", ${eitherOr}`]],
  [{ canary: "Split" }, ['spec.canary: "Split", must be the name of a Canary']],
])("a LoadTest with %j for its target has the errors %j", (target, errors) => {
  const { service: _, ...spec } = good.spec;
  const object = { ...good, spec: { ...spec, ...target } };
  expect(loadTestKind.judge(object).errors.map(formatFieldError)).toEqual(errors);
});

const canary = (backends: unknown) => ({
  apiVersion: "beta.kuar.com/v1",
  kind: "Canary",
  metadata: { name: "my.canary" },
  spec: { backends },
});
const backend = (service: string, percent: unknown) => ({ service, percent });
const anInteger = "must be an integer from 0 to 100";

test.each<[backends: unknown, errors: string[]]>([
  [[backend("a", 100)], []],
  [[backend("a", 90), backend("b", 10), backend("c", 0)], []],
  [
    [backend("a", 90), backend("b", 20)],
    [
      'spec.backends: [{"service":"a","percent":90},{"service":"b","percent":20}], must be backends whose percents sum to 100, not to 110',
    ],
  ],
  [
    [backend("a", 50), backend("a", 50)],
    [
      'spec.backends: [{"service":"a","percent":50},{"service":"a","percent":50}], must be backends with a Service of their own each',
    ],
  ],
  [
    [backend("a", 99.5), backend("b", 0.5)],
    [0, 1].map((i) => `spec.backends[${i}].percent: ${[99.5, 0.5][i]}, ${anInteger}`),
  ],
  [
    [backend("a", 120), backend("b", -20)],
    [0, 1].map((i) => `spec.backends[${i}].percent: ${[120, -20][i]}, ${anInteger}`),
  ],
  [[backend("a", "100")], [`spec.backends[0].percent: "100", ${anInteger}`]],
  [[], ["spec.backends: [], must be a list of 1 to 16 backends"]],
  [undefined, ["spec.backends: is missing, must be a list of 1 to 16 backends"]],
])("a Canary of %j has the errors %j", (backends, errors) => {
  expect(canaryKind.judge(canary(backends)).errors.map(formatFieldError)).toEqual(errors);
});

test("a Canary has no status, and no other fields", () => {
  expect(canaryKind.judge({ ...canary([backend("a", 100)]), status: {} }).errors.map(({ field }) => field)).toEqual([
    "status",
  ]);
});

test.each([
  ["90s", 90e9],
  ["1h30m", 5400e9],
  ["1.5s", 1.5e9],
  ["300us", 300e3],
  ["2µs", 2e3],
  ["", undefined],
  ["5", undefined],
  ["-1s", undefined],
  ["1s ", undefined],
])("the duration %j is %j ns", (text, ns) => {
  expect(parseDuration(text)).toBe(ns as number);
});

test("durations are written as Go writes them", () => {
  expect([0, 300, 2500, 1.5e6, 90e9, 5400e9].map(formatDuration)).toEqual([
    "0s",
    "300ns",
    "2.5µs",
    "1.5ms",
    "1m30s",
    "1h30m",
  ]);
});

test.each([
  ["0%", 0],
  ["0.1%", 0.001],
  ["99.95%", 0.9995],
  ["100.0%", 1],
  ["100.1%", undefined],
  ["101%", undefined],
  [".5%", undefined],
  ["5", undefined],
  ["-1%", undefined],
  ["1 %", undefined],
])("the percentage %j is the share %j", (text, share) => {
  const parsed = parsePercent(text);
  if (share === undefined) expect(parsed).toBeUndefined();
  else expect(parsed).toBeCloseTo(share, 12);
});

test("shares are written as percentages that tell them from 0 and from 1", () => {
  expect([0, 1, 0.001, 0.123456, 0.0000021, 0.99999, 1.02].map(formatPercent)).toEqual([
    "0%",
    "100%",
    "0.1%",
    "12.3%",
    "0.00021%",
    "99.999%",
    "102%",
  ]);
});

test("the thresholds of a spec are numbers, in nanoseconds and shares", () => {
  expect(effectiveThresholds()).toEqual([]);
  expect(effectiveThresholds({ latency: { p99: "250ms", p50: "1us" }, errorRate: "0.1%", minRate: "99%" })).toEqual([
    { name: "p50", value: 1000 },
    { name: "p99", value: 250e6 },
    { name: "errorRate", value: 0.001 },
    { name: "minRate", value: 0.99 },
  ]);
});

test.each<[spec: object, words: string]>([
  [{}, "until spec.state is Stopped or the LoadTest is deleted"],
  [{ thresholds: { minRate: "99%" } }, "only spec.state Stopped ends it with a verdict"],
  [{ thresholds: { minRate: "99%", abortOnFailure: true } }, "is Stopped, a threshold is broken or the LoadTest"],
  [{ thresholds: { latency: {} }, duration: "10s" }, "limits nothing"],
])("%j is allowed, and warned of", (spec, words) => {
  expect(loadTestKind.judge({ ...good, spec: { ...good.spec, ...spec } }).warnings.join("\n")).toContain(words);
});

test("of a load that its thresholds end, no verdict is missed", () => {
  const spec = { ...good.spec, thresholds: { minRate: "99%", abortOnFailure: true } };
  expect(loadTestKind.judge({ ...good, spec }).warnings.join("\n")).not.toContain("spec.thresholds");
});

test("YAML is read as kubectl reads it", () => {
  const [document] = readDocuments("a: yes\nb: 010\nc: 1:30\nd: 2001-01-01\ne: 1e3\nf: ~\ng: 0o10\n");
  expect(document?.object).toEqual({ a: true, b: 8, c: "1:30", d: "2001-01-01", e: 1000, f: null, g: "0o10" });
});

test("documents are counted, empty ones passed over, Lists opened", () => {
  const text = "---\na: 1\n---\n# nothing\n---\napiVersion: v1\nkind: List\nitems: [{b: 2}, {c: 3}]\n";
  expect(readDocuments(text).map(({ index, object }) => [index, object])).toEqual([
    [1, { a: 1 }],
    [2, { b: 2 }],
    [3, { c: 3 }],
  ]);
});

test("a document that is no YAML says where", () => {
  expect(readDocuments("a: 1\nb: [1\n")[0]?.problem).toMatch(/^line \d+: /);
});

test("a text that is nested without bound is refused in words", () => {
  expect(readDocuments("[".repeat(20_000))[0]?.problem).toBe("line 1: it is nested too deeply");
});

test("a number that JSON cannot write is shown as it is", () => {
  expect(verdict({ requestsPerSecond: Number.POSITIVE_INFINITY })).toEqual([
    "spec.requestsPerSecond: Infinity, must be an integer from 1 to 1000000",
  ]);
});

test("aliases that expand without bound are refused", () => {
  const lines = [
    "a0: &a0 [x, x]",
    ...Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`),
  ];
  expect(readDocuments(lines.join("\n"))[0]?.problem).toContain("alias");
});
