// `loadtest status` against a server that tells what an API server would.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestPki } from "../kube/test-server.ts";
import { expectGolden } from "../report/golden.ts";
import { binary, loadtest } from "./process.ts";

const pki = new TestPki();
/** The answers, one after the other; the last one again and again. */
let answers: (() => Response)[] = [];
let paths: string[] = [];

const server = Bun.serve({
  port: 0,
  tls: { cert: pki.pem("server.crt"), key: pki.pem("server.key") },
  fetch: (request) => {
    paths.push(new URL(request.url).pathname);
    return ((answers.length > 1 ? answers.shift() : answers[0]) as () => Response)();
  },
});
const kubeconfig = join(pki.folder, "kubeconfig");
writeFileSync(
  kubeconfig,
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [
      {
        name: "c",
        cluster: { server: `https://localhost:${server.port}`, "certificate-authority-data": pki.base64("ca.crt") },
      },
    ],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "mine" } }],
  }),
);

afterAll(async () => {
  await server.stop(true);
  pki.remove();
});

const spec = { service: "web", scheme: "http", requestsPerSecond: 1000 };
const metadata = { name: "one", namespace: "mine", uid: "u1", creationTimestamp: "2030-01-01T00:00:00Z" };
const condition = (type: string, status: string, reason = "") => ({ type, status, reason, message: "Words." });

function object(rps: string, ...conditions: object[]): object {
  const display = { rps, errors: "0%", p99: "1ms" };
  return { metadata, spec, status: { phase: "Running", workers: { desired: 1, ready: 1 }, display, conditions } };
}
const done = (passed: string, reason?: string) =>
  object("3", condition("Complete", "True"), condition("Passed", passed, reason));
const status = (...args: string[]) => {
  paths = [];
  return loadtest(["status", "--kubeconfig", kubeconfig, ...args]);
};
const says = (value: object) => () => Response.json(value);
const list = (...items: object[]) => ({ metadata: { resourceVersion: "1" }, items });

test("status --help is what it was", async () => {
  expectGolden("status-help.txt", (await loadtest(["status", "--help"])).out);
});

test("all LoadTests are a table, of one namespace or of all", async () => {
  answers = [says(list(object("1")))];
  const all = await status();
  expect({ code: all.code, paths }).toEqual({ code: 0, paths: ["/apis/beta.kuar.com/v1/loadtests"] });
  expect(all.out).toMatch(
    /^NAMESPACE +NAME +STATUS +TARGET-RPS +RPS +ERR% +P99 +WORKERS +AGE\nmine +one +Running +1000 +1 +0% +1ms +1\/1 +\d\w*\n$/,
  );
  const own = await status("-n", "mine");
  expect(paths).toEqual(["/apis/beta.kuar.com/v1/namespaces/mine/loadtests"]);
  expect(own.out).toStartWith("NAME ");
  answers = [says(list())];
  expect(await status()).toEqual({ code: 0, out: "", err: "There are no LoadTests.\n" });
});

test("one LoadTest is shown whole, from the context's namespace, as JSON too", async () => {
  answers = [says(object("1", condition("Passed", "Unknown", "InProgress")))];
  const text = await status("one");
  expect({ code: text.code, paths }).toEqual({
    code: 0,
    paths: ["/apis/beta.kuar.com/v1/namespaces/mine/loadtests/one"],
  });
  expect(text.out).toContain("Passed   Unknown   InProgress   Words.");
  const json = await status("one", "--output", "json");
  expect(JSON.parse(json.out)).toMatchObject({
    namespace: "mine",
    name: "one",
    spec,
    result: expect.stringMatching(/^one-[0-9a-f]{8}$/),
  });
});

test.each([
  ["True", "ThresholdsKept", 0],
  ["False", "ThresholdsBroken", 3],
  ["False", "NothingCompleted", 1],
  ["Unknown", "GeneratorSaturated", 4],
])("--watch of one goes on until it has finished, Passed=%s by %s: exit code %d", async (passed, reason, code) => {
  answers = [
    says(object("1")),
    says(object("1")),
    () => new Response("", { status: 503 }),
    says(object("2")),
    says(done(passed, reason)),
  ];
  const outcome = await status("one", "--watch");
  expect(outcome.code).toBe(code);
  const lines = outcome.out.split("\n");
  expect(lines.slice(0, 4).map((line) => line.split(/ +/)[3])).toEqual(["RPS", "1", "2", "3"]);
  expect(outcome.out).toContain(`Passed     ${passed}`);
});

test("--watch as JSON says each state in a line of its own", async () => {
  answers = [says(object("1")), says(object("1")), says(object("2")), says(done("True"))];
  const { out, code } = await status("one", "--watch", "--output", "json");
  const states = out
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { status: { display: { rps: string } } }).status.display.rps);
  expect({ states, code }).toEqual({ states: ["1", "2", "3"], code: 0 });
});

test("a LoadTest that is not there, or is deleted while it is watched, is an error", async () => {
  const gone = () =>
    Response.json({ kind: "Status", code: 404, reason: "NotFound", message: "not found" }, { status: 404 });
  answers = [gone];
  const missing = await status("one");
  expect(missing).toMatchObject({ code: 1, out: "" });
  expect(missing.err).toContain("NotFound");
  answers = [says(object("1")), gone];
  expect(await status("one", "--watch")).toMatchObject({ code: 1, err: expect.stringContaining("NotFound") as never });
});

test("on a terminal one view is redrawn in place, and what was last seen stays", async () => {
  answers = [says(object("1")), says(object("2")), says(done("True"))];
  const decoder = new TextDecoder();
  let text = "";
  const child = Bun.spawn([binary, "status", "--kubeconfig", kubeconfig, "one", "--watch"], {
    env: { ...process.env, TERM: "xterm" },
    terminal: {
      cols: 100,
      rows: 24,
      data: (_, bytes) => {
        text += decoder.decode(bytes, { stream: true });
      },
    },
  });
  expect(await child.exited).toBe(0);
  const views = text.split("\r\u001b[");
  expect(views.length).toBe(4);
  expect(views.map((view) => /(\d)\/s completed/.exec(view)?.[1])).toEqual(["1", "2", "3", "3"]);
});
