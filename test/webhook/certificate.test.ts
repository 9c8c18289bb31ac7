// The serving certificate: what is accepted as one, and its replacement under load.
import { expect, test } from "bun:test";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { connect } from "node:tls";
import { Registry } from "prom-client";
import { createLog } from "../../lib/runtime/log.ts";
import { startAdmission } from "../../lib/webhook/admission.ts";
import { Client, post } from "./client.ts";
import { reviewText } from "./reviews.ts";
import { newCertificate, serving } from "./serving.ts";

const request = post("/validate", reviewText("s-1"));

function fingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve((socket.getPeerCertificate() as PeerCertificate).fingerprint256);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("until there is a certificate connections are closed at once, and readiness says why", async () => {
  const log = createLog("test", "error");
  const admission = await startAdmission({ hostname: "127.0.0.1", port: 0, log, registry: new Registry() });
  expect(admission.problem()).toBe("no serving certificate yet");
  await (await Client.open(admission.port)).ended();
  const certificate = await newCertificate();
  const { notAfterMs } = admission.useCertificate(certificate);
  expect(Math.abs(notAfterMs - Date.now() - 3600e3)).toBeLessThan(60_000);
  expect(admission.problem()).toBeUndefined();
  const client = await Client.open(admission.port, { ca: certificate.certPem });
  client.send(request);
  expect((await client.answer()).status).toBe(200);
  admission.stop();
  expect(admission.problem()).toBe("stopping");
});

test("a certificate that will not do is refused and counted, and the one in use stays", async () => {
  const server = await serving();
  const before = await fingerprint(server.port);
  const good = await newCertificate();
  const { keyPem } = await newCertificate();
  for (const bad of [
    { ...good, keyPem },
    { ...good, certPem: "" },
    { ...good, keyPem: "x" },
    { certPem: "x", keyPem: "" },
  ]) {
    expect(() => server.admission.useCertificate(bad)).toThrow("Cannot use the certificate");
  }
  expect(await fingerprint(server.port)).toBe(before);
  expect(await server.metric("loadtest_admission_certificates_total", { outcome: "refused" })).toBe(4);
  expect(await server.metric("loadtest_admission_certificates_total", { outcome: "used" })).toBe(1);
  server.admission.useCertificate(good);
  expect(await fingerprint(server.port)).not.toBe(before);
  const notAfterMs = 1000 * (await server.metric("loadtest_admission_certificate_not_after_seconds"));
  expect(Math.abs(notAfterMs - Date.now() - 3600e3)).toBeLessThan(60_000);
  server.admission.stop();
});

test("an open connection outlives the certificate that it was opened with", async () => {
  const server = await serving();
  const client = await server.open();
  server.admission.useCertificate(await newCertificate());
  for (let index = 0; index < 3; index++) {
    client.send(request);
    expect((await client.answer()).status).toBe(200);
  }
  server.admission.stop();
});

test("certificates are replaced under new connections, and none of these fails", async () => {
  const certificates = await Promise.all(Array.from({ length: 4 }, newCertificate));
  const server = await serving({}, certificates[0]);
  const ca = certificates.map(({ certPem }) => certPem);
  const swaps = { count: 0 };
  const timer = setInterval(() => server.admission.useCertificate(certificates[++swaps.count % 4] as never), 100);
  const seen = new Set<string>();
  const untilMs = Date.now() + 3000;
  let answers = 0;
  const connectAndAsk = async () => {
    while (Date.now() < untilMs || swaps.count < 8) {
      const client = await Client.open(server.port, { ca });
      client.send(request);
      expect((await client.answer()).status).toBe(200);
      seen.add(client.peer);
      client.close();
      answers++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, connectAndAsk));
  clearInterval(timer);
  console.info(`${answers} new connections under ${swaps.count} certificates, none failed`);
  expect(answers).toBeGreaterThan(100);
  expect(seen.size).toBe(4);
  server.admission.stop();
}, 60_000);
