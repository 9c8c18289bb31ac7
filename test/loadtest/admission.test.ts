import { expect, test } from "bun:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { applyPatch, type Operation } from "fast-json-patch";
import { fillIn, judgeObject } from "../../lib/loadtest/admission.ts";
import { type AdmissionRequest, readReview } from "../../lib/loadtest/admission-review.ts";
import { apiGroup } from "../../lib/loadtest/api-group.ts";
import { withDefaults } from "../../lib/loadtest/defaulting.ts";
import { defaultPaths } from "../../lib/loadtest/defaults.ts";
import { kindOf } from "../../lib/loadtest/kind.ts";
import { anyLoadTest, objectsByChance } from "./objects.ts";

function request(object: unknown, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const { kind = "LoadTest" } = (object ?? {}) as { kind?: string };
  return {
    uid: "u1",
    kind: { group: apiGroup, version: "v1", kind },
    operation: "CREATE",
    object,
    oldObject: null,
    ...more,
  };
}

function loadTest(spec: object, metadata: object = {}) {
  const basics = { service: "web", scheme: "https", requestsPerSecond: 10 };
  return {
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name: "lt", ...metadata },
    spec: { ...basics, ...spec },
  };
}

function patchOf(...args: Parameters<typeof request>): Operation[] {
  const { patch, patchType } = fillIn(request(...args));
  expect(patchType === undefined).toBe(patch === undefined);
  return patch === undefined ? [] : JSON.parse(atob(patch));
}

const addPaths = [{ op: "add", path: "/spec/paths", value: ["/index.html"] }] as Operation[];

test.each<[what: string, spec: object, patch: object[]]>([
  ["without paths", {}, addPaths],
  ["with no paths", { paths: [] }, [{ op: "add", path: "/spec/paths/0", value: "/index.html" }]],
  ["with paths", { paths: ["/a"] }, []],
  ["with requests", { requests: [{ path: "/a" }] }, []],
  ["with null for paths", { paths: null }, [{ op: "replace", path: "/spec/paths", value: ["/index.html"] }]],
  ["with paths that are no list", { paths: {} }, []],
])("a LoadTest %s gets the patch %j", (_, spec, patch) => {
  expect(patchOf(loadTest(spec))).toEqual(patch as Operation[]);
});

test("a default gives way to requests that come later, paths of the user's own do not", () => {
  const later = (paths: string[]) =>
    patchOf(loadTest({ paths, requests: [{ path: "/a" }] }), { operation: "UPDATE", oldObject: loadTest({ paths }) });
  expect(later(["/index.html"])).toEqual([{ op: "remove", path: "/spec/paths" }]);
  expect(later(["/own"])).toEqual([]);
});

test("defaults are idempotent, and their patch touches spec.paths alone, over 10,000 objects", () => {
  fc.assert(
    fc.property(anyLoadTest, (object) => {
      const once = withDefaults(object);
      expect(withDefaults(once)).toBe(once);
      const patch = patchOf(object);
      expect(patch.every(({ path }) => path === "/spec/paths" || path === "/spec/paths/0")).toBe(true);
      const patched = applyPatch(structuredClone(object), patch).newDocument;
      expect(isDeepStrictEqual(patched, once)).toBe(true);
      expect(patchOf(patched)).toEqual([]);
      if (patch.length > 0) expect(patched.spec["paths"]).toEqual([...defaultPaths]);
    }),
    { numRuns: 10_000 },
  );
});

test("the verdict is that of validate, with every field named, over 10,000 objects", () => {
  let refused = 0;
  for (const object of objectsByChance(10_000, 1)) {
    const errors = kindOf(object)?.judge(object).errors ?? [];
    const { allowed, status, warnings = [] } = judgeObject(request(object));
    expect(allowed).toBe(errors.length === 0);
    for (const { field } of errors) expect(status?.message).toContain(field);
    for (const warning of warnings) expect(warning.length).toBeLessThanOrEqual(256);
    if (!allowed) refused++;
  }
  expect(refused).toBeGreaterThan(2000);
  expect(refused).toBeLessThan(8000);
});

test("of thousands of wrong fields a hundred are named, and the others counted", () => {
  const requests = Array.from({ length: 5000 }, () => ({ path: "x" }));
  const { status } = judgeObject(request(loadTest({ requests })));
  expect(status?.message).toContain("spec.requests[42].path");
  expect(status?.message).toMatch(/; and \d+ fields more$/);
  expect(JSON.stringify(status).length).toBeLessThan(64 * 1024);
});

test("a malformed object that is on its way out, or whose spec does not change, is let through", () => {
  const bad = loadTest({ port: 0 });
  const update = (object: object, oldObject: object) =>
    judgeObject(request(object, { operation: "UPDATE", oldObject })).allowed;
  expect(update(bad, loadTest({}))).toBe(false);
  expect(update(bad, bad)).toBe(true);
  expect(update(loadTest({ port: 0 }, { deletionTimestamp: "2030-01-01T00:00:00Z" }), loadTest({}))).toBe(true);
  expect(judgeObject(request(null, { operation: "DELETE", oldObject: bad })).allowed).toBe(true);
  expect(judgeObject(request(bad, { subResource: "status" })).allowed).toBe(true);
});

test("objects of others are none of its business", () => {
  const pod = { kind: { group: "", version: "v1", kind: "Pod" } };
  const later = { kind: { group: apiGroup, version: "v2", kind: "LoadTest" } };
  for (const more of [pod, later]) {
    expect(judgeObject(request({ spec: 1 }, more))).toEqual({ allowed: true });
    expect(fillIn(request({ spec: {} }, more))).toEqual({ allowed: true });
  }
});

test("fields of the metadata that only the API server knows are left to it", () => {
  expect(judgeObject(request(loadTest({ duration: "5s" }, { futureField: 1 })))).toEqual({ allowed: true });
  expect(judgeObject(request(loadTest({}, { name: "Not a name" }))).allowed).toBe(false);
});

test.each<[spec: object, words: string]>([
  [{}, "spec.duration"],
  [{ requestsPerSecond: 100_000, workers: 1 }, "spec.workers"],
  [{ requestsPerSecond: 20_000, connections: 1 }, "at 20000 requests per second each must answer within 0.1 ms"],
  [{ tls: { insecureSkipVerify: true } }, "spec.tls.insecureSkipVerify"],
  [{ requests: [{ path: "/", headers: [{ name: "Authorization", value: "Bearer x" }] }] }, "plain text"],
  [{ port: 80 }, "spec.port"],
])("spec %j is warned of", (spec, words) => {
  expect(judgeObject(request(loadTest(spec))).warnings?.join("\n")).toContain(words);
});

test("an ordinary spec is not warned of", () => {
  expect(judgeObject(request(loadTest({ duration: "1m" })))).toEqual({ allowed: true });
});

const review = (fields: object) => ({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", ...fields });
const kind = { group: "g", version: "v1", kind: "K" };

test.each<[what: string, review: unknown, uid: string | undefined, words: string]>([
  ["null", null, undefined, "it is null"],
  ["a list", [], undefined, "it is a list"],
  ["another kind", { kind: "Pod", apiVersion: "v1", request: { uid: "a" } }, "a", "must be AdmissionReview"],
  [
    "an older version",
    { ...review({ request: { uid: "a" } }), apiVersion: "admission.k8s.io/v1beta1" },
    "a",
    "v1beta1",
  ],
  ["no request", review({}), undefined, "request is missing"],
  ["no uid", review({ request: { kind } }), undefined, "request.uid is missing"],
  ["a uid that is no text", review({ request: { uid: 5, kind } }), undefined, "request.uid is missing"],
  ["no kind", review({ request: { uid: "a", operation: "CREATE" } }), "a", "request.kind is missing"],
  ["no operation", review({ request: { uid: "a", kind } }), "a", "request.operation is missing"],
])("a review that is %s is refused with its uid", (_, value, uid, words) => {
  expect(readReview(value)).toEqual({ problem: expect.stringContaining(words) as never, uid });
});

test("a review is read as it is, whatever its object", () => {
  const read = readReview(review({ request: { uid: "a", kind, operation: "CREATE", object: 5, subResource: "" } }));
  expect(read).toMatchObject({ request: { uid: "a", kind, operation: "CREATE", object: 5 } });
});
