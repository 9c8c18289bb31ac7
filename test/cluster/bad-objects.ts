// Objects that must never be stored, with every field that is wrong in them. The API server judges in stages:
// unknown fields, then the schema, then the rules; `shownFirst` are the fields that its first failing stage names.
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { AnyObject } from "../loadtest/objects.ts";

export interface BadObject {
  what: string;
  object: AnyObject;
  fields: string[];
  shownFirst?: string[];
}

const basics = { service: "web", scheme: "https", requestsPerSecond: 100 };
const object = (kind: string, spec: object, name = "bad"): AnyObject => ({
  apiVersion,
  kind,
  metadata: { name },
  spec: spec as Record<string, unknown>,
});
const loadTest = (spec: object, name?: string) => object("LoadTest", { ...basics, ...spec }, name);
const canary = (...backends: object[]) => object("Canary", { backends });
const request = { path: "/" };
const below = (prefix: string, ...names: string[]) => names.map((name) => `${prefix}.${name}`);

export const badObjects: readonly BadObject[] = [
  { what: "a rate of 0", object: loadTest({ requestsPerSecond: 0 }), fields: ["spec.requestsPerSecond"] },
  {
    what: "a rate above a million",
    object: loadTest({ requestsPerSecond: 1_000_001 }),
    fields: ["spec.requestsPerSecond"],
  },
  { what: "a rate that is a text", object: loadTest({ requestsPerSecond: "100" }), fields: ["spec.requestsPerSecond"] },
  { what: "half a request", object: loadTest({ requestsPerSecond: 0.5 }), fields: ["spec.requestsPerSecond"] },
  { what: "a scheme in capitals", object: loadTest({ scheme: "HTTPS" }), fields: ["spec.scheme"] },
  { what: "no scheme", object: object("LoadTest", { service: "web", requestsPerSecond: 1 }), fields: ["spec.scheme"] },
  {
    what: "a spec without its required fields",
    object: object("LoadTest", { service: "web" }),
    fields: ["spec.scheme", "spec.requestsPerSecond"],
  },
  { what: "no target", object: object("LoadTest", { scheme: "http", requestsPerSecond: 1 }), fields: ["spec.service"] },
  { what: "two targets", object: loadTest({ canary: "split" }), fields: ["spec.service"] },
  { what: "a Service with a capital", object: loadTest({ service: "Web" }), fields: ["spec.service"] },
  { what: "a path without its slash", object: loadTest({ paths: ["/", "index.html"] }), fields: ["spec.paths[1]"] },
  { what: "two bad paths", object: loadTest({ paths: ["a", "/", "b c"] }), fields: ["spec.paths[0]", "spec.paths[2]"] },
  { what: "33 paths", object: loadTest({ paths: Array(33).fill("/") }), fields: ["spec.paths"] },
  { what: "a port of 0", object: loadTest({ port: 0 }), fields: ["spec.port"] },
  {
    what: "port, workers and connections out of range",
    object: loadTest({ port: 65_536, workers: 501, connections: 0 }),
    fields: below("spec", "port", "workers", "connections"),
  },
  { what: "a duration without a unit", object: loadTest({ duration: "5" }), fields: ["spec.duration"] },
  { what: "a duration that is too short", object: loadTest({ duration: "10ms" }), fields: ["spec.duration"] },
  {
    what: "three durations out of their ranges",
    object: loadTest({ duration: "169h", timeout: "11m", connectionLifetime: "10ms" }),
    fields: below("spec", "duration", "timeout", "connectionLifetime"),
  },
  {
    what: "stages beside a duration",
    object: loadTest({ duration: "5s", stages: [{ duration: "5s", requestsPerSecond: 1 }] }),
    fields: ["spec.duration"],
  },
  {
    what: "a week of stages and more",
    object: loadTest({ stages: Array(2).fill({ duration: "100h", requestsPerSecond: 1 }) }),
    fields: ["spec.stages"],
  },
  { what: "paths beside requests", object: loadTest({ paths: ["/"], requests: [request] }), fields: ["spec.paths"] },
  {
    what: "a request with a length of its own",
    object: loadTest({ requests: [{ ...request, headers: [{ name: "Content-Length", value: "1" }] }] }),
    fields: ["spec.requests"],
  },
  {
    what: "a request wrong in every part",
    object: loadTest({
      requests: [
        { path: "x", method: "get", weight: 0, expectStatus: [99], headers: [{ name: "A B", value: "a\r\nb" }] },
      ],
    }),
    fields: [
      ...below(
        "spec.requests[0]",
        "path",
        "method",
        "weight",
        "expectStatus[0]",
        "headers[0].name",
        "headers[0].value",
      ),
    ],
  },
  { what: "TLS settings for http", object: loadTest({ scheme: "http", tls: {} }), fields: ["spec.tls"] },
  {
    what: "an authority from two places",
    object: loadTest({
      tls: { caFrom: { secretKeyRef: { name: "a", key: "b" }, configMapKeyRef: { name: "a", key: "b" } } },
    }),
    fields: ["spec.tls.caFrom"],
  },
  {
    what: "thresholds that limit nothing that is measured",
    object: loadTest({ thresholds: { latency: { p98: "1s" }, errorRate: "5", minRate: "101%" } }),
    fields: below("spec.thresholds", "latency.p98", "errorRate", "minRate"),
    shownFirst: ["spec.thresholds.latency.p98"],
  },
  {
    what: "limits of a latency that are out of range",
    object: loadTest({ thresholds: { latency: { p50: "999ns", p99: "11m" } } }),
    fields: below("spec.thresholds.latency", "p50", "p99"),
  },
  {
    what: "a misspelt field beside a wrong rule",
    object: loadTest({ connectoins: 3, timeout: "11m" }),
    fields: ["spec.connectoins", "spec.timeout"],
    shownFirst: ["spec.connectoins"],
  },
  {
    what: "a wrong value beside a wrong rule",
    object: loadTest({ port: 0, timeout: "11m" }),
    fields: ["spec.port", "spec.timeout"],
    shownFirst: ["spec.port"],
  },
  {
    what: "worker Pods with more power than they need",
    object: loadTest({
      podTemplate: {
        hostNetwork: true,
        labels: { "beta.kuar.com/run": "mine" },
        annotations: { "container.apparmor.security.beta.kubernetes.io/worker": "unconfined" },
        priorityClassName: "system-node-critical",
      },
    }),
    fields: ["spec.podTemplate.hostNetwork"],
  },
  {
    what: "worker Pods that pass for others",
    object: loadTest({
      podTemplate: {
        labels: { "app.kubernetes.io/name": "other" },
        annotations: { "beta.kuar.com/plan": "{}" },
        priorityClassName: "system-node-critical",
      },
    }),
    fields: below("spec.podTemplate", "labels", "annotations", "priorityClassName"),
  },
  {
    what: "a worker as root",
    object: loadTest({ podTemplate: { securityContext: { runAsUser: 0, seLinuxOptions: { type: "spc_t" } } } }),
    fields: below("spec.podTemplate.securityContext", "runAsUser", "seLinuxOptions.type"),
  },
  {
    what: "amounts that are none",
    object: loadTest({ podTemplate: { resources: { requests: { cpu: "a lot" }, limits: { memory: 1.5 } } } }),
    fields: below("spec.podTemplate.resources", "requests.cpu", "limits.memory"),
  },
  {
    what: "a header with a value and a source of one",
    object: loadTest({
      requests: [
        { path: "/", headers: [{ name: "A", value: "b", valueFrom: { secretKeyRef: { name: "a", key: "b" } } }] },
      ],
    }),
    fields: ["spec.requests"],
  },
  {
    what: "64 values from Secrets",
    object: loadTest({
      requests: Array(32).fill({
        path: "/",
        headers: [{ name: "A", valueFrom: { secretKeyRef: { name: "a", key: "b" } } }],
        bodyFrom: { secretKeyRef: { name: "a", key: "b" } },
      }),
    }),
    fields: ["spec.requests"],
  },
  { what: "a name of 46 characters", object: loadTest({}, "x".repeat(46)), fields: ["metadata.name"] },
  {
    what: "a Canary of 90 and 20",
    object: canary({ service: "a", percent: 90 }, { service: "b", percent: 20 }),
    fields: ["spec.backends"],
  },
  {
    what: "a Canary with parts and negatives",
    object: canary({ service: "a", percent: 100.5 }, { service: "b", percent: -1 }),
    fields: ["spec.backends[0].percent", "spec.backends[1].percent"],
  },
];
