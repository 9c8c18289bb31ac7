import { afterAll, beforeEach, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { ApiError, isAlreadyExists, isConflict, isNotFound } from "../../lib/kube/api-error.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import { ConnectionError } from "../../lib/kube/connection-error.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { pods } from "../../lib/kube/resource.ts";
import { secretAccess } from "../../lib/kube/secret-access.ts";
import type { TlsOptions } from "../../lib/kube/tls-options.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { fixedConnection, statusAnswer, TestPki } from "./test-server.ts";

const token = "secret-token";
const pki = new TestPki();
const ca = pki.pem("ca.crt");
const authorization = { Authorization: `Bearer ${token}` };
const key = { namespace: "here", name: "a" };
const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "here", name: "a" },
  spec: { containers: [] },
};

/** What the server saw, in order. */
let requests: { method: string; path: string; query: URLSearchParams; headers: Headers; body: string }[] = [];
let answer: (attempt: number) => Response | Promise<Response>;

const server = Bun.serve({
  port: 0,
  tls: { cert: pki.pem("server.crt"), key: pki.pem("server.key") },
  fetch: async (request) => {
    const { pathname: path, searchParams: query } = new URL(request.url);
    requests.push({ method: request.method, path, query, headers: request.headers, body: await request.text() });
    return answer(requests.length);
  },
});
const serverUrl = `https://localhost:${server.port}`;
const client = clientOf(serverUrl);

beforeEach(() => {
  requests = [];
});

afterAll(async () => {
  await server.stop(true);
  pki.remove();
});

function clientOf(url: string, tls: TlsOptions = { ca }): KubeClient {
  return new HttpKubeClient(fixedConnection(url, { tls, headers: authorization }));
}

async function apiErrorOf(call: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not an ApiError: ${error}`);
  return error;
}

async function connectionErrorOf(call: Promise<unknown>): Promise<ConnectionError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectionError)) throw new Error(`not a ConnectionError: ${error}`);
  expect(error.message).not.toContain(token);
  return error;
}

/** Runs `use` with the URL of a plain server that treats each received chunk as `onData` says. */
async function withRawServer(
  onData: (socket: Socket, received: number) => void,
  use: (url: string, received: () => number) => Promise<void>,
): Promise<void> {
  let received = 0;
  const raw = createServer((socket) => {
    socket.on("data", () => onData(socket, ++received)).on("error", () => {});
  });
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(raw.address() as { port: number }).port}`, () => received);
  } finally {
    raw.close();
  }
}

test("a dry run says so, and a review of access goes with all that is known of the user", async () => {
  answer = () => Response.json({ ...pod, status: { allowed: true } });
  await client.create(pods, pod, { dryRun: true });
  expect([...(requests[0]?.query ?? [])]).toEqual([["dryRun", "All"]]);
  const user = { username: "alice", uid: "7", groups: ["web"], extra: { scopes: ["a"] } };
  const mayGet = secretAccess(client);
  expect(await mayGet(user, { namespace: "here", name: "db" })).toBe(true);
  expect(requests[1]?.path).toBe("/apis/authorization.k8s.io/v1/subjectaccessreviews");
  expect(JSON.parse(requests[1]?.body as string).spec).toEqual({
    user: "alice",
    uid: "7",
    groups: ["web"],
    extra: { scopes: ["a"] },
    resourceAttributes: { namespace: "here", verb: "get", group: "", version: "v1", resource: "secrets", name: "db" },
  });
  answer = () => Response.json({ ...pod, status: {} });
  expect(await mayGet(user, { namespace: "here", name: "db" })).toBe(false);
});

test("get() asks for the object with the bearer token", async () => {
  answer = () => Response.json(pod);
  expect<Pod>(await client.get(pods, key)).toEqual(pod);
  expect(requests[0]?.path).toBe("/api/v1/namespaces/here/pods/a");
  expect(requests[0]?.headers.get("Authorization")).toBe(`Bearer ${token}`);
});

test("create() posts to the namespace of the object", async () => {
  answer = () => Response.json(pod, { status: 201 });
  await client.create(pods, pod);
  expect(requests[0]).toMatchObject({ method: "POST", path: "/api/v1/namespaces/here/pods" });
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual(pod);
});

test("replace() puts the object, or its subresource", async () => {
  answer = () => Response.json(pod);
  await client.replace(pods, pod, { subresource: "status" });
  expect(requests[0]).toMatchObject({ method: "PUT", path: "/api/v1/namespaces/here/pods/a/status" });
});

test.each([
  [{ type: "merge", body: { a: 1 } }, "application/merge-patch+json", ""],
  [{ type: "json", body: [{ op: "remove", path: "/a" }] }, "application/json-patch+json", ""],
  [
    { type: "apply", body: pod, fieldManager: "m", force: true },
    "application/apply-patch+yaml",
    "fieldManager=m&force=true",
  ],
] as const)("patch() of type %j names its content type", async (patch, contentType, query) => {
  answer = () => Response.json(pod);
  await client.patch(pods, key, patch);
  expect(requests[0]?.headers.get("Content-Type")).toBe(contentType);
  expect(String(requests[0]?.query)).toBe(query);
});

test("delete() carries its preconditions", async () => {
  answer = () => statusAnswer(200, "", "");
  await client.delete(pods, key, { uid: "u", gracePeriodSeconds: 0, propagationPolicy: "Background" });
  expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({
    kind: "DeleteOptions",
    preconditions: { uid: "u" },
    gracePeriodSeconds: 0,
    propagationPolicy: "Background",
  });
});

test("podLog() reads so many of the newest lines of a container, and no more bytes than that", async () => {
  answer = () => new Response("one\ntwo\n");
  expect(await client.podLog(key, { tailLines: 2, limitBytes: 1000 })).toBe("one\ntwo\n");
  await client.podLog(key, { tailLines: 1, limitBytes: 10, container: "worker" });
  expect(requests.map(({ method, path, query }) => `${method} ${path}?${query}`)).toEqual([
    "GET /api/v1/namespaces/here/pods/a/log?tailLines=2&limitBytes=1000",
    "GET /api/v1/namespaces/here/pods/a/log?tailLines=1&limitBytes=10&container=worker",
  ]);
});

test("podLog() takes a log that was cut within a character, and rejects when there is none", async () => {
  answer = () => new Response(new Uint8Array([0x61, 0xe2, 0x82]));
  expect(await client.podLog(key, { tailLines: 1, limitBytes: 3 })).toBe("a\ufffd");
  answer = () => statusAnswer(400, "BadRequest", 'container "worker" in pod "a" is waiting to start');
  const error = await apiErrorOf(client.podLog(key, { tailLines: 1, limitBytes: 3 }));
  expect(error).toMatchObject({ code: 400, reason: "BadRequest" });
});

test("an object without a name is never taken for the collection", async () => {
  const nameless = async () => client.delete(pods, { namespace: "here", name: "" });
  await expect(nameless()).rejects.toThrow("must have");
  expect(requests).toEqual([]);
});

test("list() reads all pages and gives the items the kind that servers leave out", async () => {
  answer = (attempt) =>
    Response.json({
      metadata: { resourceVersion: "7", ...(attempt === 1 ? { continue: "next" } : {}) },
      items: [{ metadata: { name: `p${attempt}` } }],
    });
  const { items, resourceVersion } = await client.list(pods, { namespace: "here", limit: 1, labelSelector: "a=b,c" });
  expect(items.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)).toEqual([
    "v1 Pod p1",
    "v1 Pod p2",
  ]);
  expect(resourceVersion).toBe("7");
  expect(requests.map(({ query }) => query.get("continue"))).toEqual([null, "next"]);
  expect(requests.map(({ query }) => query.get("labelSelector"))).toEqual(["a=b,c", "a=b,c"]);
});

test("list() starts again, without pages, when they outlive their snapshot", async () => {
  answer = (attempt) => {
    if (attempt === 2) return statusAnswer(410, "Expired", "the continue token is too old");
    const more = attempt === 1 ? { continue: "next" } : {};
    return Response.json({ metadata: { resourceVersion: "8", ...more }, items: [{ metadata: { name: "a" } }] });
  };
  expect((await client.list(pods, { limit: 1 })).items).toHaveLength(1);
  expect(requests.map(({ query }) => query.get("limit"))).toEqual(["1", "1", null]);
});

test("list() takes null for no items", async () => {
  answer = () => Response.json({ metadata: {}, items: null });
  expect((await client.list(pods)).items).toEqual([]);
});

test("a refusal names the call, the reason and the server's words, and not the token", async () => {
  answer = () => statusAnswer(404, "NotFound", 'pods "a" not found');
  const error = await apiErrorOf(client.get(pods, key));
  expect(isNotFound(error)).toBe(true);
  expect(error.message).toContain('GET "/api/v1/namespaces/here/pods/a"');
  expect(error.message).toContain('404 NotFound: pods "a" not found');
  expect(error.message).not.toContain(token);
});

test("409 is AlreadyExists for a create and Conflict otherwise", async () => {
  answer = () => statusAnswer(409, "AlreadyExists", "there is one");
  const exists = await apiErrorOf(client.create(pods, pod));
  expect([isAlreadyExists(exists), isConflict(exists)]).toEqual([true, false]);
  answer = () => statusAnswer(409, "Conflict", "changed");
  const conflict = await apiErrorOf(client.replace(pods, pod));
  expect([isAlreadyExists(conflict), isConflict(conflict)]).toEqual([false, true]);
});

test("422 names the fields at fault", async () => {
  const causes = [{ field: "spec.x", reason: "FieldValueInvalid", message: "must be y" }];
  answer = () => statusAnswer(422, "Invalid", "invalid", {}, { causes });
  expect((await apiErrorOf(client.create(pods, pod))).causes).toEqual(causes);
});

test.each([429, 503])("%i with Retry-After is asked again, a write too", async (code) => {
  answer = (attempt) =>
    attempt === 1 ? statusAnswer(code, "", "later", { "Retry-After": "0" }) : Response.json(pod, { status: 201 });
  await client.create(pods, pod);
  expect(requests).toHaveLength(2);
});

test("a Retry-After beyond the cap is the caller's to wait for", async () => {
  answer = () => statusAnswer(429, "TooManyRequests", "later", { "Retry-After": "3600" });
  expect((await apiErrorOf(client.get(pods, key))).retryAfterSeconds).toBe(3600);
  expect(requests).toHaveLength(1);
});

test("a server that always says 429 is given up on", async () => {
  answer = () => statusAnswer(429, "TooManyRequests", "later", { "Retry-After": "0" });
  await apiErrorOf(client.get(pods, key));
  expect(requests).toHaveLength(5);
});

test("500 is not asked again, and leaves open whether a write happened", async () => {
  answer = () => statusAnswer(500, "InternalError", "oh");
  expect((await apiErrorOf(client.create(pods, pod))).ambiguous).toBe(true);
  expect((await apiErrorOf(client.get(pods, key))).ambiguous).toBe(false);
  expect(requests).toHaveLength(2);
});

test("an error page of a proxy is quoted in brief", async () => {
  answer = () => new Response(`<html>\n${"x".repeat(1000)}`, { status: 502 });
  const { message } = await apiErrorOf(client.get(pods, key));
  expect(message).toContain("502");
  expect(message).toContain("<html> xxx");
  expect(message.length).toBeLessThan(400);
});

test("a page instead of JSON is no answer of an API server", async () => {
  answer = () => new Response("<html>log in</html>");
  expect((await connectionErrorOf(client.get(pods, key))).message).toContain("not JSON");
});

test("raw() gives the body as it is", async () => {
  answer = () => new Response("ok");
  expect(await client.raw("/readyz")).toBe("ok");
});

test("a redirect is not followed", async () => {
  answer = () => Response.redirect(`${serverUrl}/elsewhere`, 302);
  await apiErrorOf(client.raw("/version"));
  expect(requests).toHaveLength(1);
});

test("after a 401 the credentials are renewed once, for writes too", async () => {
  answer = () =>
    requests.at(-1)?.headers.get("Authorization") === "Bearer new"
      ? Response.json(pod, { status: 201 })
      : statusAnswer(401, "Unauthorized", "Unauthorized");
  const renewed = fixedConnection(
    serverUrl,
    { tls: { ca }, headers: { Authorization: "Bearer old" } },
    { tls: { ca }, headers: { Authorization: "Bearer new" } },
  );
  await new HttpKubeClient(renewed).create(pods, pod);
  expect(requests).toHaveLength(2);
});

test("a second 401 is final", async () => {
  answer = () => statusAnswer(401, "Unauthorized", "Unauthorized");
  expect((await apiErrorOf(client.get(pods, key))).reason).toBe("Unauthorized");
  expect(requests.length).toBeLessThanOrEqual(2);
});

test.each([
  ["another certificate authority", { ca: pki.pem("other.crt") }, "certificate is not trusted"],
  ["another server name", { ca, serverName: "kube.example" }, "certificate is for another name"],
])("%s is named", async (_, tls, words) => {
  const error = await connectionErrorOf(clientOf(serverUrl, tls).create(pods, pod));
  expect(error.message).toContain(words);
  expect(error.message).toContain(serverUrl);
  expect(error.ambiguous).toBe(false);
});

test("a certificate for another name is right under that name", async () => {
  const named = Bun.serve({
    port: 0,
    tls: { cert: pki.pem("named.crt"), key: pki.pem("named.key") },
    fetch: () => new Response("ok"),
  });
  const url = `https://localhost:${named.port}`;
  expect(await clientOf(url, { ca, serverName: "kube.example" }).raw("/readyz")).toBe("ok");
  expect(await clientOf(url, { rejectUnauthorized: false }).raw("/readyz")).toBe("ok");
  await connectionErrorOf(clientOf(url).raw("/readyz"));
  await named.stop(true);
});

test("a server without TLS and a name without address are named", async () => {
  await withRawServer(
    (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    async (url) => {
      const error = await connectionErrorOf(clientOf(url.replace("http:", "https:")).raw("/version"));
      expect(error.message).toContain("must speak TLS");
    },
  );
  const nowhere = await connectionErrorOf(clientOf("https://no-such-host.invalid:6443").raw("/version"));
  expect(nowhere.message).toContain("does not resolve");
});

test("a refused connection is tried a bounded number of times and named", async () => {
  const error = await connectionErrorOf(clientOf("https://127.0.0.1:1").create(pods, pod));
  expect(error.failure).toBe("refused");
  expect(error.ambiguous).toBe(false);
});

test("a hung server ends in a timeout, and a write is left open", async () => {
  answer = async () => {
    await Bun.sleep(2000);
    return Response.json(pod);
  };
  const error = await connectionErrorOf(client.create(pods, pod, { timeoutMs: 100 }));
  expect([error.failure, error.ambiguous]).toEqual(["timeout", true]);
  expect(requests).toHaveLength(1);
});

test("the caller's signal ends a call, and a wait between two attempts, with its reason", async () => {
  answer = () => statusAnswer(429, "TooManyRequests", "later", { "Retry-After": "20" });
  const stop = new AbortController();
  const waiting = client.get(pods, key, { signal: stop.signal });
  await Bun.sleep(50);
  stop.abort("SIGTERM");
  expect(await waiting.catch((reason: unknown) => reason)).toBe("SIGTERM");
});

test("a read is tried again after a reset, a write never", async () => {
  await withRawServer(
    (socket, received) => {
      if (received < 3) socket.destroy();
      else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    },
    async (url, received) => {
      expect(await clientOf(url).raw("/readyz")).toBe("ok");
      expect(received()).toBe(3);
    },
  );
  await withRawServer(
    (socket) => socket.destroy(),
    async (url, received) => {
      const error = await connectionErrorOf(clientOf(url).create(pods, pod));
      expect([error.failure, error.ambiguous, received()]).toEqual(["reset", true, 1]);
    },
  );
});

test.each(["POST", "PUT", "PATCH", "DELETE"])(
  "a %s is sent once on a kept-alive connection that closes early",
  async (method) => {
    const writes: Record<string, (client: KubeClient) => Promise<unknown>> = {
      POST: (client) => client.create(pods, pod),
      PUT: (client) => client.replace(pods, pod),
      PATCH: (client) => client.patch(pods, key, { type: "merge", body: {} }),
      DELETE: (client) => client.delete(pods, key),
    };
    await withRawServer(
      (socket, received) => {
        if (received === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else socket.destroy();
      },
      async (url, received) => {
        const writer = clientOf(url);
        await writer.raw("/readyz");
        const error = await connectionErrorOf((writes[method] as (client: KubeClient) => Promise<unknown>)(writer));
        expect([error.ambiguous, received()]).toEqual([true, 2]);
      },
    );
  },
);
