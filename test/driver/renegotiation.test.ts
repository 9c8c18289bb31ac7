// A server that asks for another handshake while it has a request, as TLS 1.2 lets it (RFC 5246 §7.4.1.1).
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imbalance } from "../../lib/stats/account.ts";
import { newCertificate } from "../webhook/serving.ts";
import { drive, get, planFor } from "./drive.ts";

const undo: (() => void)[] = [];

afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** OpenSSL's test server: what it is told goes to the client, but for the line `R`, which asks for a handshake. */
class OpensslServer {
  readonly #process;
  readonly #said;
  /** All that it has said: what the client sends, and each message of a handshake. */
  output = "";

  private constructor(certFile: string, keyFile: string) {
    const options = ["-tls1_2", "-legacy_renegotiation", "-crlf", "-msg", "-cert", certFile, "-key", keyFile];
    this.#process = Bun.spawn(["openssl", "s_server", "-accept", "127.0.0.1:0", ...options], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
    });
    this.#said = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    undo.push(() => this.#process.kill());
  }

  static async start(): Promise<OpensslServer> {
    const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
    const [certFile, keyFile] = [join(folder, "server.crt"), join(folder, "server.key")];
    const { certPem, keyPem } = await newCertificate();
    writeFileSync(certFile, certPem);
    writeFileSync(keyFile, keyPem);
    return new OpensslServer(certFile, keyFile);
  }

  /** Resolves with the match once all the output has one; rejects when the server ends before that. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      const { value, done } = await this.#said.read();
      if (done) throw new Error(`openssl has not said ${pattern}, but ended after: ${this.output}`);
      this.output += value;
    }
  }

  tell(text: string): void {
    this.#process.stdin.write(text);
    this.#process.stdin.flush();
  }
}

test("another handshake during a request sends nothing again, and the response counts", async () => {
  const server = await OpensslServer.start();
  const [, port] = await server.until(/ACCEPT 127\.0\.0\.1:(\d+)/);
  const origin = { scheme: "https" as const, host: "127.0.0.1", port: Number(port) };
  const plan = planFor(origin, {
    backends: [{ name: "web", percent: 100, origin }],
    tls: { caFiles: [], insecure: true },
    requests: [{ ...get("/once"), method: "POST" }],
    requestsPerSecond: 1000,
    durationNs: 1e6,
    connections: 1,
    timeoutNs: 10e9,
  });
  const driving = drive(plan);
  await server.until(/POST \/once/);
  server.tell("R\n");
  await server.until(/(Finished.*){4}/s); // of either side, in either handshake
  server.tell("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
  const { account } = (await driving).total;
  expect(server.output.split("POST /once")).toHaveLength(2);
  expect(account).toMatchObject({ scheduled: 1, sent: 1, completed: 1, inFlight: 0 });
  expect(imbalance(account)).toBe(0);
});
