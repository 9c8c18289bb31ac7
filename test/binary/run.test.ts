import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imbalance } from "../../lib/stats/account.ts";
import type { Summary } from "../../lib/stats/summary.ts";
import { binary, loadtest, type Outcome, startTarget } from "./process.ts";

const sample = join(import.meta.dir, "../../manifests/samples/loadtest.yaml");

const source = { secretKeyRef: { name: "a", key: "b" } };

async function runJson(args: readonly string[]): Promise<Summary> {
  const { out } = await loadtest(["run", ...args, "--quiet", "--output", "json"]);
  return JSON.parse(out);
}

test("run sends exactly what is asked, as the server counts it, over several workers and paths", async () => {
  const target = await startTarget();
  const urls = ["/a", "/b", "/c"].map((path) => target.url + path);
  const summary = await runJson([...urls, "--rate", "900", "--duration", "2s", "--workers", "2"]);
  const report = await target.stop();
  expect(summary).toMatchObject({ scheduled: 1800, sent: 1800, completed: 1800, statusCodes: { 200: 1800 } });
  expect(imbalance(summary)).toBe(0);
  expect(summary.workers.map(({ completed }) => completed)).toEqual([900, 900]);
  expect(report.requests).toBe(1800);
  expect(report.paths.map(({ requests }) => requests).toSorted()).toEqual([600, 600, 600]);
});

test("run verifies HTTPS, by the certificate's name and authority", async () => {
  const ca = join(mkdtempSync(join(tmpdir(), "loadtest-test-")), "ca.crt");
  const target = await startTarget(["--tls", "--write-ca", ca]);
  const url = target.url.replace("127.0.0.1", "localhost");
  const trusted = await loadtest(["run", url, "--ca-file", ca, "--duration", "1s", "--quiet"]);
  const untrusted = await loadtest(["run", url, "--duration", "1s"]);
  const port = new URL(url).port;
  const misnamed = await loadtest([
    "run",
    "https://other.example/",
    "--target",
    `127.0.0.1:${port}`,
    "--ca-file",
    ca,
    "--duration",
    "1s",
  ]);
  const insecure = await loadtest(["run", url, "--insecure", "--duration", "1s", "--quiet"]);
  await target.stop();
  expect(trusted.out).toContain("100 completed");
  expect(insecure.out).toContain("100 completed");
  expect(untrusted).toMatchObject({ code: 1, out: "" });
  expect(untrusted.err).toContain('Cannot trust the certificate of "localhost"');
  expect(misnamed.code).toBe(1);
  expect(misnamed.err).toContain("must be for other.example");
});

test.each<[name: string, args: string[], code: number, words: string]>([
  ["an unreachable target", ["http://127.0.0.1:1/"], 1, 'Cannot connect to "127.0.0.1:1": connection refused'],
  ["an unknown name", ["http://nonesuch.invalid/"], 1, 'Cannot resolve "nonesuch.invalid"'],
  ["no URL", [], 2, "must have either URLs or --filename"],
  ["what is no URL", ["localhost"], 2, "must be a URL such as"],
  ["two origins", ["http://a.test/", "http://b.test/"], 2, "must share scheme, host and port"],
  ["a wrong rate", ["http://127.0.0.1:1/", "--rate", "0"], 2, "must be an integer from 1 to 1000000"],
  ["a wrong duration", ["http://127.0.0.1:1/", "--duration", "5"], 2, "must be a duration from 1s to 168h"],
  ["credentials in the URL", ["http://u:secret@127.0.0.1:1/"], 2, "must be in -H 'Authorization: @FILE'"],
  ["a header without a name", ["http://127.0.0.1:1/", "-H", "secret"], 2, "Cannot send header number 1"],
  ["a header of the driver's own", ["http://127.0.0.1:1/", "-H", "te: gzip"], 2, "the field is the driver's own"],
  ["a header from stdin", ["http://127.0.0.1:1/", "-H", "A: @-"], 2, "must be @ and the name of a file"],
  ["a stage with too much in it", ["http://127.0.0.1:1/", "--stage", "30s:5:x"], 2, "must be DURATION:RATE"],
  ["stages and a duration", ["http://127.0.0.1:1/", "--stage", "3s:5", "--duration", "3s"], 2, "beside --stage"],
  ["a closed loop by chance", ["http://127.0.0.1:1/", "--rate", "max", "--arrivals", "Poisson"], 2, "need a rate"],
  ["a threshold of no name", ["http://127.0.0.1:1/", "--threshold", "p98=1s"], 2, "one of the names p50, p90"],
  ["a certificate without key", ["http://127.0.0.1:1/", "--cert", "a.crt"], 2, "must be both or neither"],
  ["an unknown option", ["--frobnicate"], 2, "unknown option"],
  [
    "a time limit outside its bounds",
    ["http://127.0.0.1:1/", "--timeout", "11m"],
    2,
    "must be a duration from 1ms to 10m.\n",
  ],
  ["a threshold of no time", ["http://127.0.0.1:1/", "--threshold", "p99=0s"], 2, "must be a duration above 0s"],
  ["a space in a header's name", ["http://127.0.0.1:1/", "-H", "a b: secret"], 2, "or a space in it"],
  ["a missing file", ["-f", "nonesuch.yaml"], 1, 'Cannot read "nonesuch.yaml": no such file'],
])("run with %s says so in one message", async (_, args, code, words) => {
  const outcome = await loadtest(["run", ...args]);
  expect(outcome).toMatchObject({ code, out: "" });
  expect(outcome.err).toContain(words);
  expect(outcome.err).not.toContain("secret");
  expect(outcome.err.trim().split("\n").length).toBe(1);
});

test("run -f takes the LoadTest of a file, to where --target says", async () => {
  const target = await startTarget(["--tls"]);
  const port = new URL(target.url).port;
  const summary = await runJson(["-f", sample, "--target", `127.0.0.1:${port}`, "--insecure", "--duration", "1s"]);
  await target.stop();
  expect(summary.completed).toBe(1000);
  expect(summary.paths.map(({ path }) => path)).toEqual(["/index.html", "/login.html", "/shares/my-shares/"]);
});

test.each([
  [
    "a header from a Secret",
    { requests: [{ path: "/", headers: [{ name: "A", valueFrom: source }] }] },
    "value and body",
  ],
  ["a body from a Secret", { requests: [{ path: "/", bodyFrom: source }] }, "value and body"],
  ["a certificate", { tls: { clientCertificateFrom: { secretRef: { name: "a" } } } }, "--cert and --key"],
  ["an authority", { tls: { caFrom: source } }, "--ca-file"],
])("run -f with %s that is in a cluster says what to do instead", async (_, spec, words) => {
  const basics = { service: "web", scheme: "https", requestsPerSecond: 50, duration: "1s" };
  const file = {
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name: "t" },
    spec: { ...basics, ...spec },
  };
  const { code, err } = await loadtest(["run", "-f", "-"], JSON.stringify(file));
  expect(code).toBe(2);
  expect(err).toContain("in a cluster, must ");
  expect(err).toContain(words);
});

test("run -f judges by the LoadTest's thresholds, flags replace them", async () => {
  const target = await startTarget();
  const port = new URL(target.url).port;
  const spec = { service: "web", scheme: "http", requestsPerSecond: 50, duration: "1s" };
  const limited = { ...spec, thresholds: { latency: { p50: "1us" }, errorRate: "1%" } };
  const file = JSON.stringify({
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name: "t" },
    spec: limited,
  });
  const judged = async (...flags: string[]) => {
    const args = ["run", "-f", "-", "--target", `127.0.0.1:${port}`, "--quiet", "--output", "json", ...flags];
    const { out } = await loadtest(args, file);
    return (JSON.parse(out) as Summary).thresholds.map(({ name, limit, passed }) => [name, limit, passed]);
  };
  expect(await judged()).toEqual([
    ["p50", 1, false],
    ["errorRate", 0.01, true],
  ]);
  expect(await judged("--threshold", "p99=1h")).toEqual([["p99", 3600e6, true]]);
  await target.stop();
});

test("SIGINT ends a run early, with its account whole and nothing left running", async () => {
  const target = await startTarget();
  const child = Bun.spawn([binary, "run", target.url, "--duration", "1h", "--output", "json"], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const progress = child.stderr.getReader();
  await progress.read();
  progress.releaseLock();
  child.kill("SIGINT");
  const summary = (await child.stdout.json()) as Summary;
  await child.exited;
  const report = await target.stop();
  expect(summary.completed).toBeGreaterThan(0);
  expect(imbalance(summary)).toBe(0);
  expect(report.requests).toBe(summary.sent);
});

const manyKinds = "kind: Pod\n---\nfoo\n---\n- 1\n";

test.each([
  ["a scalar", "foo\n", "it holds 0 LoadTests, must hold one"],
  ["other kinds", manyKinds, "it holds 0 LoadTests, must hold one"],
  ["two LoadTests", `${manyKinds}---\nkind: LoadTest\n---\nkind: LoadTest\n`, "it holds 2 LoadTests, must hold one"],
  ["a LoadTest beside other kinds", `${manyKinds}---\nkind: LoadTest\n`, "it is no well-formed LoadTest\n  apiVersion"],
])("run -f with %s counts LoadTests only", async (_, text, words) => {
  const { code, err } = await loadtest(["run", "-f", "-"], text);
  expect(code).toBe(2);
  expect(err).toContain(words);
});

/** Runs `loadtest ARGS…` in a shell that sends its output as `redirections` say. */
async function redirected(redirections: string, args: readonly string[]): Promise<Outcome> {
  const script = `"$0" "$@" ${redirections}`;
  const child = Bun.spawn(["sh", "-c", script, binary, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

test("a full disk under stderr costs a run no result", async () => {
  const target = await startTarget();
  const { code, out } = await redirected("2>/dev/full", ["run", target.url, "--duration", "2s", "-o", "json"]);
  await target.stop();
  expect([0, 4]).toContain(code);
  expect((JSON.parse(out) as Summary).completed).toBe(200);
  expect(await redirected("2>/dev/full", ["run"])).toMatchObject({ code: 2 });
});

test("a full disk under stdout is said in words", async () => {
  const outcome = await redirected(">/dev/full", ["version"]);
  expect(outcome).toMatchObject({ code: 1, err: "error: Cannot write to stdout: no space left on the device\n" });
});

test("run without a folder for its plans says where it wants one", async () => {
  const env = { ...process.env, TMPDIR: "/nonesuch" };
  const child = Bun.spawn([binary, "run", "http://127.0.0.1:1/"], { env, stdout: "pipe", stderr: "pipe" });
  expect(await child.stderr.text()).toBe(
    'error: Cannot make a folder in "/nonesuch": no such folder, must be a folder that this user may write to, named by TMPDIR\n',
  );
  expect(await child.exited).toBe(1);
});

test.each([
  ["--port", "abc", 'Cannot use --port "abc": no integer, must be'],
  ["--port", "-1", 'Cannot use --port "-1": out of range, must be'],
  ["--host", "", 'Cannot listen on ":8080": no address of this machine, must be one'],
  ["--host", "nonesuch.invalid", 'Cannot listen on "nonesuch.invalid:8080": no address of this machine, must be one'],
  ["--host", "2001:db8::1", 'Cannot listen on "[2001:db8::1]:8080": no address of this machine, must be one'],
  ["--write-ca", "/nonesuch/ca.crt", 'Cannot write "/nonesuch/ca.crt": no such folder'],
])("target %s %s is refused in words", async (flag, value, words) => {
  const tls = flag === "--write-ca" ? ["--tls", "--port", "0"] : [];
  const { err, out } = await loadtest(["target", ...tls, flag, value]);
  expect(err).toContain(words);
  expect(out).toBe("");
});

test.each([
  ["install --image x --print --namespaced", "Bad_Name"],
  ["uninstall --namespaced", "Bad_Name"],
  ["diff --namespaced", "Bad_Name"],
  ["status --server", "nowhere"],
])("%s %s is called wrongly", async (args, value) => {
  const { code, out, err } = await loadtest([...args.split(" "), value]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(`argument '${value}' is invalid. It must be `);
});

test("what cannot be read as YAML is said whole", async () => {
  const { out } = await loadtest(["validate", "-f", "-"], "a: [1, 2\nb: }");
  expect(out).toBe(
    "-: document 1: document: line 2: Flow sequence in block collection must be sufficiently indented and end with a ], must be well-formed YAML or JSON  [syntax]\n",
  );
});

test("validate judges files and stdin, all errors at once, in text and JSON", async () => {
  expect(await loadtest(["validate", "-f", sample])).toMatchObject({ code: 0, err: "" });
  const bad =
    "apiVersion: beta.kuar.com/v1\nkind: LoadTest\nmetadata: {name: x}\nspec: {scheme: ftp, requestsPerSecond: 0}\n";
  const outcome = await loadtest(["validate", "-f", "-", "--output", "json"], bad);
  expect(outcome.code).toBe(1);
  const [verdict] = JSON.parse(outcome.out);
  expect(verdict).toMatchObject({ file: "-", document: 1, name: "x", valid: false });
  expect(verdict.errors.map(({ field }: { field: string }) => field)).toEqual([
    "spec.scheme",
    "spec.requestsPerSecond",
    "spec.service",
  ]);
  expect((await loadtest(["validate", "-f", "-"], "a: [1")).out).toContain("must be well-formed YAML or JSON");
  expect((await loadtest(["validate", "-f", "-"], "kind: Pod\n")).code).toBe(1);
});

test("worker with a plan that is none says what is wrong with it", async () => {
  const outcome = await loadtest(["worker", "--plan", sample, "--result", "/dev/null"]);
  expect(outcome).toMatchObject({
    code: 1,
    err: expect.stringContaining("Cannot read the worker plan: must be JSON") as never,
  });
});
