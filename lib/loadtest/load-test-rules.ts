// The rules of a LoadTest's spec that its schema cannot say.
import { durationNs } from "./duration.ts";
import type { LoadTestSpec } from "./load-test.ts";
import { podTemplateRules } from "./pod-template.ts";
import type { Rule } from "./rule.ts";
import { leastLatency, mostLatency, quantileNames } from "./thresholds.ts";
import { valueRules } from "./value-rules.ts";
import { hasOneSource } from "./value-source.ts";

/** Characters of all paths, headers and bodies together: a worker's plan must fit into an annotation. */
const requestCharacters = 32_768;
/** Fields that frame a message or change the protocol. */
const ownFields = ["content-length", "transfer-encoding", "te", "trailer", "expect", "upgrade"];

function isOutside(text: string | undefined, least: string, most: string): boolean {
  if (text === undefined) return false;
  const ns = durationNs(text);
  return ns === undefined || ns < (durationNs(least) as bigint) || ns > (durationNs(most) as bigint);
}

function durationRule(
  field: "duration" | "timeout" | "connectionLifetime" | "startDeadline" | "ttlAfterFinished",
  least: string,
  most: string,
): Rule<LoadTestSpec> {
  return {
    field,
    at: field,
    reads: [field],
    ...durationWithin(least, most),
    isBroken: (spec) => isOutside(spec[field], least, most),
  };
}

function durationWithin(least: string, most: string): Pick<Rule<LoadTestSpec>, "cel" | "mustBe"> {
  return {
    cel: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
    mustBe: `a duration from ${least} to ${most}`,
  };
}

const latencyRules: readonly Rule<LoadTestSpec>[] = quantileNames.map((name) => ({
  field: `thresholds.latency.${name}`,
  at: `thresholds.latency.${name}`,
  reads: ["thresholds"],
  ...durationWithin(leastLatency, mostLatency),
  isBroken: ({ thresholds }) => isOutside(thresholds?.latency?.[name], leastLatency, mostLatency),
}));

const weekNs = 168n * 3_600_000_000_000n;

/** As CEL counts: code points, not UTF-16 units. */
function characters({ path, body = "", headers = [] }: NonNullable<LoadTestSpec["requests"]>[number]): number {
  const size = (text: string) => [...text].length;
  return size(path) + size(body) + headers.reduce((sum, { name, value = "" }) => sum + size(name) + size(value), 0);
}

export const loadTestRules: readonly Rule<LoadTestSpec>[] = [
  {
    field: "service",
    at: "",
    reads: ["service", "canary"],
    cel: "has(self.service) != has(self.canary)",
    mustBe: "given unless canary is, exactly one of the two",
    isBroken: ({ service, canary }) => (service === undefined) === (canary === undefined),
  },
  durationRule("duration", "1s", "168h"),
  durationRule("timeout", "1ms", "10m"),
  durationRule("connectionLifetime", "1s", "168h"),
  durationRule("startDeadline", "1s", "168h"),
  durationRule("ttlAfterFinished", "0s", "8760h"),
  {
    field: "stages",
    at: "stages",
    reads: ["stages"],
    cel: "self.all(stage, duration(stage.duration) >= duration('1s')) && self.map(stage, duration(stage.duration)).sum() <= duration('168h')",
    mustBe: "stages of at least 1s each, and of 168h at most together",
    isBroken: ({ stages = [] }) =>
      stages.some((stage) => isOutside(stage.duration, "1s", "168h")) ||
      stages.reduce((sum, stage) => sum + (durationNs(stage.duration) as bigint), 0n) > weekNs,
  },
  {
    field: "duration",
    at: "",
    reads: ["duration", "stages"],
    cel: "!has(self.duration) || !has(self.stages)",
    mustBe: "absent beside stages, which have their own",
    isBroken: ({ duration, stages }) => duration !== undefined && stages !== undefined,
  },
  {
    field: "paths",
    at: "",
    reads: ["paths", "requests"],
    cel: "!has(self.paths) || self.paths.size() == 0 || !has(self.requests)",
    mustBe: "absent beside requests, which have their own",
    isBroken: ({ paths = [], requests }) => paths.length > 0 && requests !== undefined,
  },
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: `self.map(r, r.path.size() + (has(r.body) ? r.body.size() : 0) + (has(r.headers) ? r.headers.map(h, h.name.size() + (has(h.value) ? h.value.size() : 0)).sum() : 0)).sum() <= ${requestCharacters}`,
    mustBe: `of at most ${requestCharacters} characters in paths, headers and bodies together`,
    isBroken: ({ requests = [] }) =>
      requests.reduce((sum, request) => sum + characters(request), 0) > requestCharacters,
  },
  {
    field: "requests",
    at: "requests",
    reads: ["requests"],
    cel: `self.all(r, !has(r.headers) || r.headers.all(h, !(h.name.lowerAscii() in [${ownFields.map((name) => `'${name}'`).join(", ")}])))`,
    mustBe: `without the headers that are the driver's own: ${ownFields.join(", ")}`,
    isBroken: ({ requests = [] }) =>
      requests.some(({ headers = [] }) => headers.some(({ name }) => ownFields.includes(name.toLowerCase()))),
  },
  {
    field: "tls",
    at: "",
    reads: ["tls", "scheme"],
    cel: "self.scheme == 'https' || !has(self.tls)",
    mustBe: "absent unless scheme is https",
    isBroken: (spec) => spec.tls !== undefined && spec.scheme !== "https",
  },
  {
    field: "tls.caFrom",
    at: "tls.caFrom",
    reads: ["tls"],
    cel: "has(self.configMapKeyRef) != has(self.secretKeyRef)",
    mustBe: "an object with exactly one of configMapKeyRef and secretKeyRef",
    isBroken: ({ tls }) => tls?.caFrom !== undefined && !hasOneSource(tls.caFrom),
  },
  ...latencyRules,
  ...valueRules,
  ...podTemplateRules,
];
