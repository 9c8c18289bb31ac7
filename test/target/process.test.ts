import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../lib/cli/exit-code.ts";
import { targetCommand } from "../../lib/cli/target.ts";
import type { TargetReport } from "../../lib/target/report.ts";

const mainFile = join(import.meta.dir, "../../main.ts");

/** `loadtest target ARGS…` as a child process. */
function spawnTarget(...args: string[]) {
  const child = Bun.spawn([process.execPath, mainFile, "target", ...args], { stdout: "pipe", stderr: "pipe" });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  return {
    child,
    async line(): Promise<string> {
      while (!pending.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot read a line: ${await new Response(child.stderr).text()}`);
        pending += value;
      }
      const end = pending.indexOf("\n");
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      return line;
    },
  };
}

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
    [["--port", "http"], 'Cannot use --port "http": out of range, must be an integer from 0 to 65535'],
    [["--delay", "20"], 'Cannot use --delay "20": no duration, must be a number with its unit, for example "20ms"'],
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
    'error: Cannot use --port "http": out of range, must be an integer from 0 to 65535\n',
  ]);
});
