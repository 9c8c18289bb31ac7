import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import pino from "pino";
import { execute } from "../../lib/controller/execute.ts";
import { Recorder } from "../../lib/controller/recorder.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { workerLabel } from "../../lib/plan/names.ts";
import type { RefusedCreation } from "../../lib/plan/trouble.ts";
import type { Action } from "../../lib/plan/world.ts";
import { fixedConnection, statusAnswer } from "../kube/test-server.ts";
import { loadTest, workerPods } from "../plan/finished-pods.ts";

/** What the server was asked, in order, and how it answers. */
let requests: { method: string; path: string; body: string }[] = [];
let answer: (request: { method: string; path: string; body: string }) => Response;
const server = Bun.serve({
  port: 0,
  fetch: async (request) => {
    const asked = { method: request.method, path: new URL(request.url).pathname, body: await request.text() };
    requests.push(asked);
    return answer(asked);
  },
});
const client = new HttpKubeClient(fixedConnection(`http://localhost:${server.port}`, { tls: {}, headers: {} }));
const log = pino({ level: "silent" });

beforeEach(() => {
  requests = [];
});

afterAll(() => server.stop(true));

const status: LoadTestStatus = { phase: "Pending" };
const words: Action = { kind: "patchStatus", namespace: "ns", name: "lt", uid: "u1", version: "7", status };
const creations = (workers: number): Action[] =>
  workerPods(loadTest({ workers })).map((pod) => ({ kind: "createPod", pod, cause: "first" }));
const isStatus = ({ path }: { path: string }) => path.endsWith("/status");

test("Pods that were refused are in the words of the same pass, and not all of many are asked for", async () => {
  const said = 'pods "lt" is forbidden: exceeded quota: none';
  answer = ({ method, body }) => (method === "POST" ? statusAnswer(403, "Forbidden", said) : new Response(body));
  let known: readonly RefusedCreation[] = [];
  const outcome = await execute([...creations(40), words], client, log, (refused) => {
    known = refused;
    return [{ ...words, status: { phase: "Failed" } }, ...creations(1)];
  });
  expect(known.length).toBe(40);
  expect(known.every(({ code, message }) => code === 403 && message === said)).toBe(true);
  expect(new Set(known.map(({ pod }) => pod)).size).toBe(40);
  expect(outcome).toMatchObject({ failures: 0, done: [{ kind: "patchStatus", status: { phase: "Failed" } }] });
  expect(requests.filter(({ method }) => method === "POST").length).toBeLessThan(40);
  expect(requests.filter(isStatus).map(({ body }) => body.includes("Failed"))).toEqual([true]);
});

test("what a server cannot do now is a failure, and changes no words", async () => {
  answer = ({ method, body }) => (method === "POST" ? new Response("", { status: 501 }) : new Response(body));
  const outcome = await execute([...creations(2), words], client, log, () => {
    throw new Error("nothing was refused");
  });
  expect(outcome).toMatchObject({ failures: 2, refused: [], done: [words] });
});

test("a creation that met another one in a quota is a failure, and keeps no other from it", async () => {
  const said = 'Operation cannot be fulfilled on resourcequotas "q": please apply your changes to the latest version';
  let posts = 0;
  answer = ({ body }) => (++posts === 3 ? statusAnswer(409, "Conflict", said) : new Response(body));
  const outcome = await execute(creations(40), client, log, () => []);
  expect(outcome).toMatchObject({ failures: 1, refused: [] });
  expect(outcome.done.length).toBe(39);
});

test("a worker Pod that has lost a label is deleted, so that its seat has one that obeys", async () => {
  const [creation] = creations(1) as [Extract<Action, { kind: "createPod" }>];
  const { labels: { [workerLabel]: _, ...labels } = {}, ...metadata } = creation.pod.metadata;
  const existing = { ...creation.pod, metadata: { ...metadata, labels, uid: "p0" } };
  answer = ({ method }) =>
    method === "POST" ? statusAnswer(409, "AlreadyExists", "it is there") : Response.json(existing);
  expect(await execute([creation], client, log, () => [])).toMatchObject({ done: [], failures: 0, refused: [] });
  expect(requests.map(({ method }) => method)).toEqual(["POST", "GET", "DELETE"]);
  expect(requests[2]?.body).toContain('"uid":"p0"');
  answer = ({ method }) =>
    method === "GET"
      ? Response.json(existing)
      : statusAnswer(method === "POST" ? 409 : 403, method === "POST" ? "AlreadyExists" : "Forbidden", "no");
  expect(await execute([creation], client, log, () => [])).toMatchObject({ done: [], failures: 1, refused: [] });
});

test("only what has changed something is done", async () => {
  answer = ({ method, body }) => (method === "DELETE" ? statusAnswer(404, "NotFound", "gone") : new Response(body));
  const deletion: Action = { kind: "deletePod", namespace: "ns", name: "lt-0", uid: "p0", reason: "it changed" };
  const [creation] = creations(1);
  const outcome = await execute([deletion, creation as Action], client, log, () => []);
  expect(outcome.done.map(({ kind }) => kind)).toEqual(["createPod"]);
});

test("Events are recorded in order, and one that cannot be keeps no other from it", async () => {
  answer = ({ body }) => (body.includes("Started") ? statusAnswer(403, "Forbidden", "no") : new Response(body));
  const recorder = new Recorder(client, "here", log, () => false);
  const news = ["WorkersCreated", "Started", "Finished"].map((reason) => ({
    type: "Normal" as const,
    reason,
    action: "Do",
    note: "Done.",
  }));
  recorder.record(loadTest(), news);
  await recorder.stop();
  expect(requests.map(({ path }) => path)).toEqual(Array(3).fill("/apis/events.k8s.io/v1/namespaces/ns/events"));
  const told = requests.map(({ body }) => JSON.parse(body));
  expect(told.map(({ reason }) => reason)).toEqual(["WorkersCreated", "Started", "Finished"]);
  expect(told[0]).toMatchObject({ regarding: { kind: "LoadTest", namespace: "ns", name: "lt", uid: "u1" } });
});

test("a status is written over no other version of the LoadTest than the one that was read", async () => {
  answer = ({ body }) => new Response(body);
  await execute([words], client, log, () => []);
  expect(requests.map(({ body }) => JSON.parse(body))).toEqual([
    [
      { op: "test", path: "/metadata/uid", value: "u1" },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
      { op: "add", path: "/status", value: status },
    ],
  ]);
});

describe("what is kept of a run", () => {
  const writing = (isEarly: boolean): Action => {
    const metadata = { namespace: "ns", name: "lt-1" };
    const result = { apiVersion: "beta.kuar.com/v1", kind: "LoadTestResult", metadata } as never;
    return { kind: "writeResult", namespace: "ns", name: "lt-1", result, isEarly };
  };
  const common = { reason: "r", message: "m", lastTransitionTime: "t", observedGeneration: 1 };
  const verdict: Action = { ...words, status: { conditions: [{ type: "Complete", status: "True", ...common }] } };
  const methods = () => requests.map(({ method }) => method);

  test("its results are stored before the verdict, which they hold back", async () => {
    answer = ({ body }) => new Response(body);
    await execute([verdict, writing(false)], client, log, () => []);
    expect(methods()).toEqual(["POST", "PATCH"]);
    requests = [];
    answer = () => statusAnswer(422, "Invalid", "too large");
    await execute([verdict, writing(false)], client, log, () => []);
    expect(methods()).toEqual(["POST"]);
  });

  test("while it goes on, it is kept whether the status can be written or not", async () => {
    answer = ({ method, body }) => (method === "PATCH" ? statusAnswer(409, "Conflict", "other") : new Response(body));
    const { done } = await execute([words, writing(false)], client, log, () => []);
    expect(done.map(({ kind }) => kind)).toEqual(["writeResult"]);
  });

  test("before the status says when it began, nothing is", async () => {
    answer = ({ body }) => new Response(body);
    await execute([writing(true), words], client, log, () => []);
    expect(methods()).toEqual(["PATCH", "POST"]);
    requests = [];
    answer = () => statusAnswer(409, "Conflict", "another version");
    await execute([writing(true), words], client, log, () => []);
    expect(methods()).toEqual(["PATCH"]);
  });
});
