import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../lib/cli/exit-code.ts";
import { targetCommand } from "../../lib/cli/target.ts";
import type { TargetReport } from "../../lib/target/report.ts";
import { spawnTarget } from "./spawned-target.ts";

/** Exit code and stderr of a target that does not start. */
async function failure(...args: string[]): Promise<[number, string]> {
  const { child } = spawnTarget(...args);
  const words = await new Response(child.stderr).text();
  return [await child.exited, words];
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "target-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("it listens on a free port, serves, and reports as JSON with exit code 0 on SIGTERM and SIGINT", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const target = spawnTarget("--port", "0", "--output", "json");
    const { kind, url } = JSON.parse(await target.line());
    expect(kind).toBe("listening");
    for (const path of ["/a", "/b", "/a"]) expect(await (await fetch(url + path)).text()).toBe("ok\n");
    await fetch(`${url}/c`, { method: "POST", body: "x".repeat(100_000) });
    const beforeMs = Date.now();
    target.child.kill(signal);
    const report: TargetReport = JSON.parse(await target.line());
    expect(await target.child.exited).toBe(0);
    expect(report).toMatchObject({
      kind: "report",
      requests: 4,
      jitterArrivals: 4,
      connectionErrors: 0,
      paths: [
        { path: "/a", requests: 2 },
        { path: "/b", requests: 1 },
        { path: "/c", requests: 1 },
      ],
      statusCodes: { 200: 4 },
      framings: { length: 4 },
      faults: {},
    });
    expect(report.bytesReceived).toBeGreaterThan(100_000);
    expect(report.firstArrivalAtMs).toBeLessThan(report.lastArrivalAtMs as number);
    expect(report.lastArrivalAtMs).toBeLessThanOrEqual(beforeMs + 1);
  }
});

test("as text it prints the line that tells where it listens, then the figures", async () => {
  const target = spawnTarget("--port", "0");
  const listening = await target.line();
  expect(listening).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+$/);
  await fetch(listening.replace("listening on ", ""));
  target.child.kill("SIGTERM");
  expect(await target.line()).toBe("requests       1");
});

test("--tls makes a certificate that the file of --write-ca verifies, for each loopback name", async () => {
  await inFolder(async (folder) => {
    const caFile = join(folder, "ca.pem");
    const target = spawnTarget("--port", "0", "--tls", "--write-ca", caFile);
    const { port, protocol } = new URL((await target.line()).replace("listening on ", ""));
    expect(protocol).toBe("https:");
    const ca = readFileSync(caFile, "utf8");
    for (const host of ["127.0.0.1", "localhost"]) {
      const response = await fetch(`https://${host}:${port}/`, { tls: { ca } });
      expect(await response.text()).toBe("ok\n");
    }
    await expect(fetch(`https://127.0.0.1:${port}/`)).rejects.toThrow();
    target.child.kill("SIGTERM");
    await target.child.exited;
  });
});

test("--cert and --key serve the certificate of these files", async () => {
  await inFolder(async (folder) => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const { selfSigned } = await import("../../lib/pki/self-signed.ts");
    const made = await selfSigned({
      keys: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
      dnsNames: ["localhost"],
      ipAddresses: [],
      serialNumber: "01",
      notBeforeMs: Date.now() - 60e3,
      notAfterMs: Date.now() + 600e3,
    });
    writeFileSync(cert, made.certificatePem);
    writeFileSync(key, made.keyPem);
    const target = spawnTarget("--port", "0", "--cert", cert, "--key", key);
    const { port } = new URL((await target.line()).replace("listening on ", ""));
    const response = await fetch(`https://localhost:${port}/`, { tls: { ca: made.certificatePem } });
    expect(response.status).toBe(200);
    target.child.kill("SIGTERM");
    await target.child.exited;

    writeFileSync(key, "no key");
    const [code, words] = await failure("--port", "0", "--cert", cert, "--key", key);
    expect(code).toBe(1);
    expect(words).toStartWith(`error: Cannot use certificate "${cert}" with key "${key}": `);
    expect(words).toEndWith(", must be PEM files that belong together\n");
  });
});

test("every flag of the server reaches it", async () => {
  const faults = ["--fault", "status-503:1@2", "--fault", "redirect:1@3"];
  const form = ["--framing", "chunked", "--body-bytes", "10", "--split"];
  const service = ["--service-time", "2ms", "--servers", "2", "--stall", "1h:1s"];
  const target = spawnTarget("--port", "0", "--output", "json", ...faults, ...form, ...service);
  const { url } = JSON.parse(await target.line());
  for (const status of [200, 503, 302, 200]) {
    const response = await fetch(url, { redirect: "manual" });
    expect([response.status, await response.text()]).toEqual([status, "ok\nok\nok\no"]);
  }
  target.child.kill("SIGTERM");
  expect(JSON.parse(await target.line())).toMatchObject({
    requests: 4,
    statusCodes: { 200: 2, 302: 1, 503: 1 },
    framings: { chunked: 4 },
    faults: { "status-503": 1, redirect: 1 },
  });
});

test("a port in use is said plainly, with exit code 1", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  expect(await failure("--port", String(taken.port))).toEqual([
    1,
    `error: Cannot listen on "127.0.0.1:${taken.port}": address in use, must be a free port\n`,
  ]);
  taken.stop();
});

test("wrong usage is said plainly", async () => {
  const cases: [string[], string][] = [
    [["--port", "65536"], 'Cannot use --port "65536": out of range, must be an integer from 0 to 65535'],
    [["--port", "http"], 'Cannot use --port "http": no integer, must be an integer from 0 to 65535'],
    [["--delay", "20"], 'Cannot use --delay "20": no duration, must be a number with its unit, for example "20ms"'],
    [
      ["--delay", "1ms", "--service-time", "1ms"],
      'Cannot use --delay "1ms": --service-time is given as well, must be one of them',
    ],
    [["--servers", "2"], 'Cannot use --servers "2": no --service-time is given, must be given with it'],
    [["--service-time", "0s"], 'Cannot use --service-time "0s": it takes no time, must be longer than 0s'],
    [
      ["--service-time", "1ms", "--servers", "0"],
      'Cannot use --servers "0": out of range, must be an integer from 1 to 1000000',
    ],
    ...["10s", "10s:", ":3s", "10s:0s", "10s:3s:1s"].map((stall): [string[], string] => [
      ["--stall", stall],
      `Cannot use --stall "${stall}": no two durations with a length above 0s, must be <at>:<length>, for example "10s:3s"`,
    ]),
    [
      ["--stall", "10s:3s", "--stall", "8s:2500ms"],
      'Cannot use --stall "10s:3s": it begins within "8s:2500ms", must be at 10.5s or later',
    ],
    [
      ["--fault", "reset"],
      'Cannot use --fault "reset": no count, must be <kind>:<count> or <kind>:<count>@<every>, for example "reset:5@100"',
    ],
    [
      ["--framing", "http2"],
      'Cannot use --framing "http2": no such framing, must be one of length, chunked, chunked-extensions, trailers, close, http10, http10-keep-alive, interim, mixed',
    ],
    [
      ["--body-bytes", "16777217"],
      'Cannot use --body-bytes "16777217": out of range, must be an integer from 0 to 16777216',
    ],
    [["--max-arrivals", "0"], 'Cannot use --max-arrivals "0": out of range, must be an integer from 1 to 20000000'],
    [["--cert", "c.pem"], 'Cannot use --cert "c.pem": no --key is given, must be both or neither'],
    [["--key", "k.pem"], 'Cannot use --key "k.pem": no --cert is given, must be both or neither'],
    [
      ["--write-ca", "ca.pem"],
      'Cannot write CA "ca.pem": no certificate is made, must be with --tls and without --cert',
    ],
  ];
  for (const [args, words] of cases) {
    const { command, run } = targetCommand();
    command.action(async () => void (await run()));
    await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(new UsageError(words));
  }
});

test("wrong usage ends with exit code 2", async () => {
  expect(await failure("--port", "http")).toEqual([
    2,
    'error: Cannot use --port "http": no integer, must be an integer from 0 to 65535\n',
  ]);
});
