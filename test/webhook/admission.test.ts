// The endpoint over real TLS, from the outside.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { MayGetSecret } from "../../lib/loadtest/secret-access.ts";
import { bodyMaxBytes } from "../../lib/webhook/request-head.ts";
import { type Answer, post } from "./client.ts";
import { review, reviewText } from "./reviews.ts";
import { type Serving, serving } from "./serving.ts";

let server: Serving;

beforeAll(async () => {
  server = await serving({
    judges: {
      "/validate": (request) => {
        const { spec } = request.object as { spec: { panic?: string; wrong?: true } };
        if (spec.panic !== undefined) throw new Error(`Cannot stand "${spec.panic}"`);
        if (spec.wrong !== true) return { allowed: true };
        const details = { causes: [{}, {}] };
        return { allowed: false, status: { code: 422, reason: "Invalid", message: "wrong", details } };
      },
    },
  });
});

afterAll(() => server.admission.stop());

/** The answer to bytes on a connection of their own, and whether another request is answered after it. */
async function ask(bytes: string | Uint8Array): Promise<Answer & { isKept: boolean }> {
  const client = await server.open();
  client.send(bytes);
  const answer = await client.answer();
  const isKept = answer.headers["connection"] !== "close";
  if (isKept) {
    client.send(post("/validate", reviewText("after")));
    expect((await client.answer()).body).toContain('"uid":"after"');
    client.close();
  } else if (bytes.length < 1e6) {
    client.end();
    await client.ended();
  } else client.close();
  return { ...answer, isKept };
}

function verdictIn({ body }: Answer): { uid: string; allowed: boolean; status?: Record<string, unknown> } {
  return (JSON.parse(body) as { response: never }).response;
}

test("an allowed and a denied review are both answered with status 200 and their uid", async () => {
  const allowed = await ask(post("/validate?timeout=3s", reviewText("a-1")));
  expect(allowed).toMatchObject({ status: 200, isKept: true, headers: { "content-type": "application/json" } });
  expect(JSON.parse(allowed.body)).toEqual({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "a-1", allowed: true },
  });
  const denied = await ask(post("/validate", reviewText("a-2", { wrong: true })));
  expect(denied.status).toBe(200);
  expect(verdictIn(denied)).toMatchObject({ uid: "a-2", allowed: false, status: { code: 422 } });
});

test("a denial is logged with names and the number of errors, an allowed object for debugging, and no contents", async () => {
  server.logged.length = 0;
  await ask(post("/validate", reviewText("log-1", { wrong: true, secret: "hush" })));
  const [denied, allowed] = server.logged.map((line) => JSON.parse(line) as object);
  const names = { path: "/validate", kind: "LoadTest", namespace: "here", name: "my-loadtest" };
  expect(denied).toMatchObject({ ...names, level: 30, msg: "denied", errors: 2 });
  expect(allowed).toMatchObject({ ...names, level: 20, msg: "allowed" });
  expect(server.logged.join()).not.toContain("hush");
});

test("an exception in judging is a denial with the uid, logged with its place and without what is in the object", async () => {
  server.logged.length = 0;
  const before = await server.metric("loadtest_admission_panics_total");
  const answer = await ask(post("/validate", reviewText("p-1", { panic: "hush" })));
  expect(answer).toMatchObject({ status: 200, isKept: true });
  expect(verdictIn(answer)).toMatchObject({
    uid: "p-1",
    allowed: false,
    status: { code: 500, reason: "InternalError", message: expect.stringContaining("internal error") as never },
  });
  expect(await server.metric("loadtest_admission_panics_total")).toBe(before + 1);
  const line = server.logged.find((one) => one.includes("internal error")) as string;
  expect(JSON.parse(line)).toMatchObject({
    error: "Error",
    stack: expect.arrayContaining([expect.any(String)]) as never,
  });
  expect(server.logged.join() + answer.body).not.toContain("hush");
});

test("who has to ask somebody first answers when the answer is there, and is denied when there is nobody to ask", async () => {
  const named = { requests: [{ path: "/", bodyFrom: { secretKeyRef: { name: "db", key: "k" } } }], duration: "5s" };
  const mayGetSecret: MayGetSecret = async ({ username }, { name }) => {
    await Bun.sleep(20);
    return username === "admin" && name === "db";
  };
  for (const [options, expected] of [
    [{ mayGetSecret }, { allowed: true }],
    [{ mayGetSecret: async () => false }, { allowed: false, status: { code: 403 } }],
    [
      {},
      { allowed: false, status: { message: expect.stringContaining("must be started with --kubeconfig") as never } },
    ],
    [{ judges: { "/validate": () => Promise.reject(new Error("x")) } }, { allowed: false, status: { code: 500 } }],
  ] as const) {
    const other = await serving(options);
    const client = await other.open();
    client.send(post("/validate", reviewText("first", named)));
    client.send(post("/validate", reviewText("second")));
    expect(verdictIn(await client.answer())).toMatchObject({ uid: "first", ...expected });
    expect(verdictIn(await client.answer()).uid).toBe("second");
    client.close();
    other.admission.stop();
  }
});

test("a malformed review with a uid is denied with it, one without is refused", async () => {
  const old = await ask(
    post("/validate", JSON.stringify({ ...review("m-1"), apiVersion: "admission.k8s.io/v1beta1" })),
  );
  expect(old).toMatchObject({ status: 200, isKept: true });
  expect(verdictIn(old)).toMatchObject({ uid: "m-1", allowed: false, status: { code: 400 } });
  for (const body of ["[]", "null", '"text"', "{}", '{"request":{"uid":""}}', '{"request":[]}']) {
    expect(await ask(post("/validate", body))).toMatchObject({ status: 400, isKept: true });
  }
});

test("a review of more members than any object of ours has is denied with its uid, and not judged", async () => {
  const answer = await ask(post("/validate", reviewText("w-1", { panic: "x", paths: Array(20_000).fill(1) })));
  expect(verdictIn(answer)).toMatchObject({ uid: "w-1", allowed: false, status: { code: 413 } });
});

const text = reviewText("r-1");
const chunked = { "Transfer-Encoding": "chunked" };

function head(line: string, ...fields: string[]): string {
  return `${[line, ...fields].join("\r\n")}\r\n\r\n`;
}

/** A POST without Content-Length. */
function chunkedPost(body: string): string {
  const fields = ["Host: a", "Content-Type: application/json", "Transfer-Encoding: chunked"];
  return head("POST /validate HTTP/1.1", ...fields) + body;
}

test.each<[name: string, bytes: string | Uint8Array, status: number, words: string]>([
  ["another path", post("/", text), 404, "must be /validate"],
  ["a path of every object", post("/__proto__", text), 404, "must be /validate"],
  ["a path below", post("/validate/", text), 404, "must be /validate"],
  ["GET", head("GET /validate HTTP/1.1", "Host: a"), 405, "it is GET, must be POST"],
  ["PUT", head("PUT /validate HTTP/1.1", "Host: a", "Content-Length: 0"), 405, "must be POST"],
  ["no content type", head("POST /validate HTTP/1.1", "Host: a", "Content-Length: 0"), 415, "application/json"],
  ["another content type", post("/validate", text, { "Content-Type": "text/plain" }), 415, '"text/plain"'],
  ["a longer content type", post("/validate", text, { "Content-Type": "application/jsonp" }), 415, "must be"],
  ["a compressed body", post("/validate", text, { "Content-Encoding": "gzip" }), 415, 'is "gzip"'],
  ["no body", post("/validate", ""), 400, "its body is empty"],
  ["an empty chunked body", chunkedPost("0\r\n\r\n"), 400, "its body is empty"],
  ["a body that is no UTF-8", post("/validate", Buffer.from([0x22, 0xff, 0x22])), 400, "must be JSON in UTF-8"],
  ["a body that is no JSON", post("/validate", `${text}}`), 400, "its body is no JSON"],
  [
    "JSON nested 129 deep",
    post("/validate", "[".repeat(129) + "]".repeat(129)),
    400,
    "is 129 levels deep, must be 128",
  ],
  ["JSON nested 100,000 deep", post("/validate", '{"a":'.repeat(100_000)), 400, "100000 levels deep"],
  ["an announced large body", post("/validate", "", { "Content-Length": `${bodyMaxBytes + 1}` }), 413, "too large"],
  ["a large body", post("/validate", new Uint8Array(bodyMaxBytes + 1)), 413, `${bodyMaxBytes} bytes`],
  ["a large head", post("/validate", text, { X: "a".repeat(17_000) }), 431, "16384 bytes"],
  ["no Host", head("POST /validate HTTP/1.1", "Content-Length: 0"), 400, "it has 0 Host fields"],
  ["two Hosts", head("POST /validate HTTP/1.1", "Host: a", "Host: b", "Content-Length: 0"), 400, "2 Host fields"],
  ["HTTP/2.0 in words", head("POST /validate HTTP/2.0", "Host: a", "Content-Length: 0"), 505, "must be HTTP/1.1"],
  ["what HTTP/2 begins with", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "must be HTTP/1.1"],
  ["no HTTP", "hello\r\n\r\n", 400, "malformed"],
  ["an unknown expectation", post("/validate", text, { Expect: "miracles" }), 417, "must be 100-continue"],
  ["two lengths", post("/validate", text, { "content-length": "3" }), 400, "malformed"],
  ["a length and chunks", post("/validate", text, chunked), 400, "malformed"],
  ["a negative length", post("/validate", text, { "Content-Length": "-1" }), 400, "malformed"],
  ["gzip in chunks", chunkedPost("").replace(": chunked", ": gzip, chunked"), 501, "must be chunked"],
  ["an unknown coding", chunkedPost("0\r\n\r\n").replace(": chunked", ": xchunked"), 501, "must be chunked"],
  ["chunks twice", chunkedPost("0\r\n\r\n").replace(": chunked", ": chunked\r\nTransfer-Encoding: chunked"), 400, ""],
  ["a chunk size that is none", chunkedPost("zz\r\n"), 400, "malformed"],
  ["a chunk size without bounds", chunkedPost(`${"f".repeat(20)}\r\n`), 400, "malformed"],
  ["bare line feeds", "POST /validate HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400, "malformed"],
  ["a space before a colon", head("POST /validate HTTP/1.1", "Host: a", "Content-Length : 0"), 400, "malformed"],
  ["a folded field", head("POST /validate HTTP/1.1", "Host: a", " b: c"), 400, "malformed"],
])("%s is refused in a line of plain text that says why", async (_, bytes, status, words) => {
  const answer = await ask(bytes);
  expect(answer).toMatchObject({ status, headers: { "content-type": "text/plain; charset=utf-8" } });
  expect(answer.body).toMatch(/^Cannot review the request: .*, must .*\n$/);
  expect(answer.body).toContain(words);
  if (status === 405) expect(answer.headers["allow"]).toBe("POST");
});

test("a body of exactly 7 MiB is read", async () => {
  const long = JSON.stringify({ ...review("long"), padding: "" });
  const body = long.replace('"padding":""', `"padding":"${"a".repeat(bodyMaxBytes - long.length)}"`);
  expect(body.length).toBe(bodyMaxBytes);
  expect(verdictIn(await ask(post("/validate", body)))).toEqual({ uid: "long", allowed: true });
});

test("content types with parameters, absolute targets and upgrades that are not taken are no hindrance", async () => {
  const typed = post("/validate", text, { "Content-Type": "Application/JSON; charset=utf-8" });
  const upgrade = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c" };
  for (const bytes of [typed, post("http://localhost/validate?a", text), post("/validate", text, upgrade)]) {
    expect(await ask(bytes)).toMatchObject({ status: 200, isKept: true });
  }
});

test("a body that comes a byte at a time, in chunks of a byte, is the same body", async () => {
  const pieces = [...text].map((byte) => `1\r\n${byte}\r\n`);
  const client = await server.open();
  for (const byte of chunkedPost(`${pieces.join("")}0\r\nTrailer: x\r\n\r\n`)) client.send(byte);
  expect(verdictIn(await client.answer())).toEqual({ uid: "r-1", allowed: true });
  client.close();
});

test("a client that waits for 100 Continue is told to go on, and one whose request is refused is not", async () => {
  const [fields = "", body = ""] = post("/validate", text, { Expect: "100-continue" }).toString().split("\r\n\r\n");
  const client = await server.open();
  client.send(`${fields}\r\n\r\n`);
  await client.sees("HTTP/1.1 100 Continue\r\n\r\n");
  client.send(body);
  expect(verdictIn(await client.answer())).toEqual({ uid: "r-1", allowed: true });
  client.close();
  const announced = post("/validate", "", { Expect: "100-continue", "Content-Length": "99999999" });
  expect(await ask(announced)).toMatchObject({ status: 413, isKept: false });
});

test("pipelined requests are answered in their order", async () => {
  const client = await server.open();
  client.send(Buffer.concat(["q-1", "q-2", "q-3"].map((uid) => post("/validate", reviewText(uid)))));
  for (const uid of ["q-1", "q-2", "q-3"]) expect(verdictIn(await client.answer()).uid).toBe(uid);
  client.close();
});

test("a truncated body is refused, and nothing is judged", async () => {
  const before = await server.metric("loadtest_admission_reviews_total");
  const client = await server.open();
  client.send(post("/validate", text).subarray(0, -1));
  client.end();
  expect((await client.answer()).status).toBe(400);
  await client.ended();
  expect(await server.metric("loadtest_admission_reviews_total")).toBe(before);
});

test("an HTTP/1.0 client is answered and its connection closed", async () => {
  const bytes = post("/validate", text).toString().replace("HTTP/1.1", "HTTP/1.0");
  expect(await ask(bytes)).toMatchObject({ status: 200, isKept: false });
});

test("verdicts are counted by kind and operation, and what clients make up is counted as other", async () => {
  const own = review("c-1") as { request: object };
  const made = {
    ...own,
    request: { ...own.request, operation: "FROB", kind: { group: "x", version: "y", kind: "Z" } },
  };
  const labels = { kind: "other", operation: "other", path: "/validate", allowed: "true" };
  const before = await server.metric("loadtest_admission_reviews_total", labels);
  await ask(post("/validate", JSON.stringify(made)));
  expect(await server.metric("loadtest_admission_reviews_total", labels)).toBe(before + 1);
  const known = { ...labels, kind: "LoadTest", operation: "CREATE" };
  expect(await server.metric("loadtest_admission_reviews_total", known)).toBeGreaterThan(0);
  expect(await server.metric("loadtest_admission_refused_total", { reason: "contentType" })).toBeGreaterThan(0);
});
