import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Addresses } from "../../lib/driver/addresses.ts";
import { Driver } from "../../lib/driver/driver.ts";
import { monotonicNs } from "../../lib/runtime/clock.ts";
import { imbalance } from "../../lib/stats/account.ts";
import { allRecordings, mergeRecordings } from "../../lib/stats/recording.ts";
import { drive, ok, planFor, serve } from "./drive.ts";

test("a connection that the server ends is opened again before a request needs it", async () => {
  const server = serve(() => `${ok.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}closed`);
  const { driver, total } = await drive(planFor(server, { requestsPerSecond: 200, durationNs: 500e6 }));
  expect(total.account).toMatchObject({ scheduled: 100, completed: 100 });
  expect(server.connections).toBeGreaterThanOrEqual(100);
  expect(driver.generatorReport().connectionWait.maxNs).toBeLessThan(20e6);
});

test("connections that ended before the start are opened again for it, each once", async () => {
  const server = serve(() => ok);
  const driver = await Driver.create(planFor(server, { durationNs: 300e6 }));
  const stop = new AbortController().signal;
  await driver.open(stop);
  for (const socket of server.sockets.slice(0, 6)) socket.end();
  await Bun.sleep(50);
  await driver.run(monotonicNs() + 100e6, stop, () => {});
  const { account } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
  expect(account).toMatchObject({ scheduled: 300, completed: 300 });
  expect(server.connections).toBe(8 + 6);
});

test("a server that ends every connection at once is not called without end", async () => {
  const server = serve(() => "close");
  const { total } = await drive(planFor(server));
  expect(total.account).toMatchObject({ scheduled: 200, failed: { resetBeforeFirstByte: 200 } });
  expect(server.connections).toBeLessThanOrEqual(208);
});

test("connections are opened anew at the end of their lifetime, spread over it", async () => {
  const server = serve(() => ok);
  const { total } = await drive(planFor(server, { connectionLifetimeNs: 100e6, durationNs: 450e6 }));
  expect(total.account).toMatchObject({ scheduled: 450, completed: 450 });
  expect(server.connections).toBeGreaterThan(24);
  expect(server.connections).toBeLessThan(60);
});

test("connections that come and go all the time lose no request and carry none twice", async () => {
  const server = serve((n) => (n % 7 === 0 ? `${ok}closed` : ok));
  const plan = { connectionLifetimeNs: 5e6, durationNs: 1e9, requestsPerSecond: 4000, connections: 32 };
  const { total } = await drive(planFor(server, plan));
  expect(total.account.scheduled).toBe(4000);
  expect(total.account.inFlight).toBe(0);
  // What the server ends while a request is under way to it never arrives, and is counted as just that.
  const { sent, failed } = total.account;
  expect(sent).toBe(server.received.length + (failed.resetBeforeFirstByte ?? 0));
  expect(imbalance(total.account)).toBe(0);
});

test("addresses are taken in turn, and asked for anew", async () => {
  const answers = [
    ["10.0.0.2", "10.0.0.1", "10.0.0.1"],
    ["10.0.0.1", "10.0.0.3"],
  ];
  const addresses = new Addresses("web.test", async () => answers.shift() as string[]);
  await addresses.resolve();
  expect([addresses.next(), addresses.next(), addresses.next()]).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
  await addresses.resolve();
  expect(["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((address) => addresses.has(address))).toEqual([true, false, true]);
});

test("a failed look-up is a dns error, and the known addresses stay", async () => {
  const answers = [["10.0.0.1"]];
  const addresses = new Addresses("web.test", async () => answers.shift() ?? Promise.reject(new Error("SERVFAIL")));
  await addresses.resolve();
  expect(addresses.resolve()).rejects.toMatchObject({
    kind: "dns",
    message: expect.stringContaining("SERVFAIL") as never,
  });
  expect(addresses.next()).toBe("10.0.0.1");
});

/** A CA, and certificates of it for a server and a client, as PEM files. */
function certificates(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder, stderr: "pipe" });
    if (exitCode !== 0) throw new Error(stderr.toString());
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-subj", "/CN=ca", "-days", "1", "-keyout", "ca.key", "-out", "ca.crt");
  for (const name of ["server", "client"]) {
    writeFileSync(file(`${name}.ext`), "subjectAltName=DNS:web.test");
    openssl("req", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-extfile", `${name}.ext`, "-out", `${name}.crt`);
  }
  return file;
}

test("a server that asks for a client certificate gets it, under the name that it is verified for", async () => {
  const file = certificates();
  const pem = (name: string) => readFileSync(file(name), "utf8");
  const server = serve(() => ok, {
    cert: pem("server.crt"),
    key: pem("server.key"),
    ca: pem("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const origin = { scheme: "https" as const, host: "127.0.0.1", port: server.port };
  const backends = [{ name: "web", percent: 100, origin }];
  const tls = { caFiles: [file("ca.crt")], insecure: false, serverName: "web.test" };
  const clientCertificate = { certFile: file("client.crt"), keyFile: file("client.key") };
  const { total } = await drive(planFor(server, { backends, tls: { ...tls, clientCertificate } }));
  expect(total.account).toMatchObject({ scheduled: 200, completed: 200 });
  expect(imbalance(total.account)).toBe(0);

  const misnamed = drive(planFor(server, { backends, tls: { ...tls, clientCertificate, serverName: "other.test" } }));
  expect(misnamed).rejects.toMatchObject({ kind: "tlsName" });
});

test.each([true, false])(
  "a port that does not speak TLS fails in the handshake, with insecure %p too",
  async (insecure) => {
    const server = serve(() => "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    const origin = { scheme: "https" as const, host: "127.0.0.1", port: server.port };
    const backends = [{ name: "web", percent: 100, origin }];
    const opening = drive(planFor(server, { backends, tls: { caFiles: [], insecure } }));
    await expect(opening).rejects.toMatchObject({
      kind: "tlsHandshake",
      message: expect.stringContaining("the answer is no TLS, must be a port that speaks TLS"),
    });
  },
);
