// What a hostile network may do to the compiled endpoint, all of it at once, while valid reviews are answered.
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { bodyMaxBytes } from "../../lib/webhook/request-head.ts";
import { Client, post } from "../webhook/client.ts";
import { reviewText } from "../webhook/reviews.ts";
import { newCertificate } from "../webhook/serving.ts";
import { certificateFlags, startWebhook, type WebhookProcess, withCertificate } from "./webhook-process.ts";

const certificate = await newCertificate();
const idleCount = 1000;
const mebibyte = 1024 * 1024;

/** Valid reviews on one connection, one after the other, until it is stopped; then how many were answered. */
function askOnAndOn(client: Client): () => Promise<number> {
  let isOver = false;
  const asking = async () => {
    let count = 0;
    for (; !isOver; count++) {
      client.send(post("/validate", reviewText(`valid-${count}`)));
      expect((await client.answer()).body).toContain(`"uid":"valid-${count}","allowed":true`);
      await Bun.sleep(5);
    }
    return count;
  };
  const asked = asking();
  return () => {
    isOver = true;
    return asked;
  };
}

const text = reviewText("x");
const closed = "Connection: close\r\nHost: a\r\nContent-Type: application/json\r\n";

/** Sent whole, and each answered with a status of its own. */
const refused: [name: string, bytes: string | Uint8Array, status: number][] = [
  ["an empty body", post("/validate", ""), 400],
  ["another content type", post("/validate", text, { "Content-Type": "text/yaml" }), 415],
  ["8 MiB", post("/validate", new Uint8Array(8 * mebibyte)), 413],
  ["8 MiB in one chunk", chunked([new Uint8Array(8 * mebibyte)]), 413],
  ["8 MiB in small chunks", chunked(Array.from({ length: 2048 }, () => new Uint8Array(4096))), 413],
  ["7 MiB of nothing", post("/validate", new Uint8Array(bodyMaxBytes)), 400],
  ["JSON nested 100,000 deep", post("/validate", '[{"":'.repeat(50_000)), 400],
  [
    "a length and chunks",
    `POST /validate HTTP/1.1\r\n${closed}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ["two lengths", `POST /validate HTTP/1.1\r\n${closed}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400],
  ["a list of lengths", `POST /validate HTTP/1.1\r\n${closed}Content-Length: 5, 5\r\n\r\nhello`, 400],
  ["an obscured coding", `POST /validate HTTP/1.1\r\n${closed}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 501],
  [
    "a coding in two fields",
    `POST /validate HTTP/1.1\r\n${closed}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  ["a space before the colon", `POST /validate HTTP/1.1\r\n${closed}Content-Length : 5\r\n\r\nhello`, 400],
  ["a carriage return in a field", `POST /validate HTTP/1.1\r\n${closed}A: b\rContent-Length: 5\r\n\r\nhello`, 400],
  ["a NUL in a field", `POST /validate HTTP/1.1\r\n${closed}A: b\0\r\nContent-Length: 5\r\n\r\nhello`, 400],
  ["bare line feeds", `POST /validate HTTP/1.1\n${closed}Content-Length: 5\n\nhello`, 400],
  [
    "a chunk with a sign",
    `POST /validate HTTP/1.1\r\n${closed}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n`,
    400,
  ],
  [
    "a chunk that is longer than it says",
    `POST /validate HTTP/1.1\r\n${closed}Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n`,
    400,
  ],
  ["a large head", post("/validate", text, { A: "a".repeat(100_000) }), 431],
];

function chunked(pieces: readonly Uint8Array[]): Buffer {
  const head =
    "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const chunks = pieces.flatMap((piece) => [
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([Buffer.from(head), ...chunks, Buffer.from("0\r\n\r\n")]);
}

/** Clients that begin and do not go on; each must be cut. */
async function slowClients(webhook: WebhookProcess): Promise<Client[]> {
  const tcp = await Client.open(webhook.port);
  const hello = await Client.open(webhook.port);
  hello.send(Buffer.from("1603010200010001fc0303", "hex"));
  const [head, trickle, body, chunk] = await Promise.all(
    Array.from({ length: 4 }, () => webhook.open(certificate.certPem)),
  );
  const request = post("/validate", text);
  head?.send(request.subarray(0, 30));
  body?.send(request.subarray(0, -1));
  chunk?.send(chunked([new Uint8Array(5)]).subarray(0, -8));
  const drip = async () => {
    for (const byte of request) {
      if (trickle?.isEnded !== false) return;
      trickle.send(Buffer.of(byte));
      await Bun.sleep(200);
    }
  };
  void drip();
  const truncated = Array.from({ length: 100 }, async () => {
    const client = await webhook.open(certificate.certPem);
    client.send(request.subarray(0, -1));
    return client;
  });
  return [tcp, hello, head, trickle, body, chunk, ...(await Promise.all(truncated))].filter((one) => one !== undefined);
}

async function expectRefusals(webhook: WebhookProcess): Promise<void> {
  for (const [name, bytes, status] of refused) {
    const client = await webhook.open(certificate.certPem);
    client.send(bytes);
    expect({ name, status: (await client.answer()).status }).toEqual({ name, status });
    client.close();
  }
}

/** What openssl negotiates with these arguments; "" for nothing. */
function negotiated(port: number, ...args: string[]): string {
  const { stdout } = spawnSync("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...args], {
    input: "Q\n",
    encoding: "utf8",
    timeout: 10_000,
  });
  return /^New, (TLSv1\.\d)/m.exec(stdout)?.[1] ?? "";
}

test("abuse is refused or cut, and neither other clients nor memory suffer from it", async () => {
  await withCertificate(certificate, async (folder) => {
    const webhook = await startWebhook(certificateFlags(folder));
    try {
      const stopAsking = askOnAndOn(await webhook.open(certificate.certPem));
      const idle: Client[] = [];
      for (let index = 0; index < idleCount; index++) idle.push(await webhook.open(certificate.certPem));
      const slow = await slowClients(webhook);
      const plain = await Client.open(webhook.port);
      plain.send(post("/validate", text));
      await plain.ended();

      await expectRefusals(webhook);
      const warmBytes = webhook.rssBytes();
      for (let round = 0; round < 5; round++) await expectRefusals(webhook);
      await Promise.all(slow.map((client) => client.ended()));

      const { text: metrics } = await webhook.read("/metrics");
      const cut = /connections_cut_total\{reason="slow"\} (\d+)/.exec(metrics)?.[1];
      expect(Number(cut)).toBeGreaterThanOrEqual(slow.length - 64); // of 100 truncated bodies some gave way before, with 503
      for (const client of [idle[0], idle[500], idle[999]]) {
        client?.send(post("/mutate", text));
        expect((await client?.answer())?.status).toBe(200);
      }
      expect(await stopAsking()).toBeGreaterThan(100);
      const grownBytes = webhook.rssBytes() - warmBytes;
      const rss = `${Math.round(warmBytes / 1e6)} MB, then ${Math.round(webhook.rssBytes() / 1e6)} MB`;
      console.info(`with ${idleCount} idle connections: ${rss}`);
      expect(grownBytes).toBeLessThan(200 * mebibyte); // five rounds of some 50 MiB each, if any of it stayed
      for (const client of idle) client.close();
    } finally {
      webhook.kill();
    }
  });
}, 120_000);

test("TLS 1.2 and 1.3 are spoken, and nothing older", async () => {
  await withCertificate(certificate, async (folder) => {
    const webhook = await startWebhook(certificateFlags(folder));
    const old = ["-cipher", "ALL:@SECLEVEL=0"];
    expect(negotiated(webhook.port, "-tls1_1", ...old)).toBe("");
    expect(negotiated(webhook.port, "-tls1", ...old)).toBe("");
    expect(negotiated(webhook.port, "-tls1_2")).toBe("TLSv1.2");
    expect(negotiated(webhook.port, "-tls1_3")).toBe("TLSv1.3");
    expect(negotiated(webhook.port, "-alpn", "h2")).toBe("");
    expect(negotiated(webhook.port, "-alpn", "h2,http/1.1")).toBe("TLSv1.3");
    webhook.kill();
  });
});
