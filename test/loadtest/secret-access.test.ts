import { expect, test } from "bun:test";
import { judgeWithSecrets } from "../../lib/loadtest/admission.ts";
import type { AdmissionRequest } from "../../lib/loadtest/admission-review.ts";
import { apiGroup, apiVersion } from "../../lib/loadtest/api-group.ts";

const alice = { username: "alice", groups: ["web"] };

function loadTest(spec: object) {
  const basics = { service: "web", scheme: "https", requestsPerSecond: 10, duration: "5s" };
  return { apiVersion, kind: "LoadTest", metadata: { name: "lt" }, spec: { ...basics, ...spec } };
}

function request(spec: object, before?: object): AdmissionRequest {
  return {
    uid: "u1",
    kind: { group: apiGroup, version: "v1", kind: "LoadTest" },
    operation: before === undefined ? "CREATE" : "UPDATE",
    namespace: "ns",
    userInfo: alice,
    object: loadTest(spec),
    oldObject: before === undefined ? null : loadTest(before),
  };
}

/** The answer where alice may get only these Secrets, and which she was asked about. */
async function answer(asked: AdmissionRequest, ...may: string[]) {
  const names: string[] = [];
  const judge = judgeWithSecrets(async (user, { namespace, name }) => {
    expect([user, namespace]).toEqual([alice, "ns"]);
    names.push(name);
    return may.includes(name);
  });
  return { names, ...(await judge(asked)) };
}

const header = (name: string) => ({ name: "A", valueFrom: { secretKeyRef: { name, key: "k" } } });
const requests = (...names: string[]) => [{ path: "/", headers: names.map(header) }];
const everywhere = {
  tls: {
    caFrom: { secretKeyRef: { name: "ca", key: "k" } },
    clientCertificateFrom: { secretRef: { name: "client" } },
  },
  requests: [{ ...requests("header", "header")[0], bodyFrom: { secretKeyRef: { name: "body", key: "k" } } }],
  podTemplate: { imagePullSecrets: [{ name: "pull" }] },
};

test("every Secret that a LoadTest names is asked about, once", async () => {
  const all = ["body", "ca", "client", "header", "pull"];
  expect(await answer(request(everywhere), ...all)).toEqual({ names: all, allowed: true });
  const refused = await answer(request(everywhere), "ca", "client", "pull");
  expect(refused).toMatchObject({ allowed: false, status: { code: 403, reason: "Forbidden" } });
  expect(refused.status?.message).toBe(
    'Cannot use Secret "body", "header" in LoadTest "lt": user "alice" may not get it in namespace "ns", must be allowed the verb get on it',
  );
});

test.each<[what: string, asked: AdmissionRequest, names: string[]]>([
  ["no Secret", request({ tls: { caFrom: { configMapKeyRef: { name: "ca", key: "k" } } } }), []],
  ["another rate", request({ requests: requests("a"), requestsPerSecond: 9 }, { requests: requests("a") }), []],
  ["one Secret more", request({ requests: requests("a", "b") }, { requests: requests("a") }), ["a", "b"]],
  [
    "another target for the Secret",
    request({ requests: requests("a"), service: "x" }, { requests: requests("a") }),
    ["a"],
  ],
  ["nothing new in the spec", request({ requests: requests("a") }, { requests: requests("a") }), []],
  ["a malformed spec", request({ requests: requests("a"), port: 0 }), []],
  ["null for requests", request({ requests: null, tls: null, podTemplate: { imagePullSecrets: null } }), []],
  ["an old object that is none", { ...request({ requests: requests("a") }, {}), oldObject: "old" }, ["a"]],
])("with %s, exactly what must be is asked about", async (_, asked, names) => {
  expect((await answer(asked, "a", "b")).names).toEqual(names);
});

test("who cannot be asked about is refused, in words that say why", async () => {
  const judge = judgeWithSecrets(() => Promise.reject(new Error("no answer")));
  expect(await judge(request({ requests: requests("a") }))).toMatchObject({
    allowed: false,
    status: {
      code: 503,
      message: 'Cannot find out whether user "alice" may get Secret "a" of LoadTest "lt": no answer',
    },
  });
  const { userInfo: _, ...nobody } = request({ requests: requests("a") });
  expect(await judge(nobody)).toMatchObject({ allowed: false, status: { code: 400 } });
  expect(await judge(request({}))).toEqual({ allowed: true });
});
