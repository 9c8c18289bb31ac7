import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlannedRequest } from "../../lib/load/worker-plan.ts";
import { drive, get, ok, planFor, serve } from "./drive.ts";

const one = { requestsPerSecond: 1000, durationNs: 1e6, connections: 1 };

async function bytesOf(request: Partial<PlannedRequest>): Promise<string> {
  const server = serve(() => ok);
  await drive(planFor(server, { ...one, requests: [{ ...get("/x"), ...request }] }));
  return (server.received[0] as string).replaceAll(`:${server.port}`, ":PORT");
}

test("a plain request says no more than it must", async () => {
  expect(await bytesOf({})).toBe("GET /x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nUser-Agent: loadtest\r\n\r\n");
});

test("method, headers and body are sent as they are, the length in bytes", async () => {
  const headers = [
    { name: "host", value: "web.test" },
    { name: "Content-Type", value: "text/plain" },
  ];
  expect(await bytesOf({ method: "POST", headers, body: "grün" })).toBe(
    "POST /x HTTP/1.1\r\nUser-Agent: loadtest\r\nhost: web.test\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ngrün",
  );
  expect(await bytesOf({ method: "PUT" })).toContain("\r\nContent-Length: 0\r\n\r\n");
});

test("values stand in files where they are secret, and a bad one is refused without being shown", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const token = file("token", "Bearer abc\n");
  const request = {
    method: "PUT",
    headers: [{ name: "Authorization", valueFile: token }],
    bodyFile: file("body", "a\0b"),
  };
  expect(await bytesOf(request)).toMatch(/\r\nAuthorization: Bearer abc\r\nContent-Length: 3\r\n\r\na\0b$/);

  const bad = bytesOf({ headers: [{ name: "X", valueFile: file("bad", "secret\r\nInjected: 1") }] });
  expect(bad).rejects.toThrow(
    /^Cannot send the header "X" with the value in ".*bad": the value must be printable ASCII/,
  );
  expect(bytesOf({ bodyFile: "/nonesuch" })).rejects.toThrow('Cannot read "/nonesuch": no such file');
});

test("a HEAD response has no body, whatever its length says", async () => {
  const server = serve(() => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  const { total } = await drive(planFor(server, { requests: [{ ...get("/"), method: "HEAD" }] }));
  expect(total.account).toMatchObject({ scheduled: 200, completed: 200 });
});

test("requests come by their weight, each with its own expected status", async () => {
  const server = serve((n) => (n % 4 === 2 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" : ok));
  const requests = [
    { ...get("/common"), weight: 3 },
    { ...get("/gone"), weight: 1, expectStatus: [404] },
  ];
  const { paths } = await drive(planFor(server, { requests, connections: 1 }));
  expect(server.received.filter((text) => text.startsWith("GET /gone")).length).toBe(50);
  expect(paths.map(({ account }) => account.completed)).toEqual([150, 50]);
  expect(paths[1]?.account.statusCodes).toEqual({ 404: 50 });
});

test("redirects are results, and not followed", async () => {
  const server = serve(() => "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  const { total } = await drive(planFor(server));
  expect(total.account).toMatchObject({ completed: 200, statusCodes: { 302: 200 } });
  expect(server.received.length).toBe(200);
});

test("a response that comes before the end of its request ends the connection: no request is written into another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  writeFileSync(join(folder, "body"), Buffer.alloc(6e6, "x"));
  let answered = 0;
  const server = serve((n, { received }) => {
    if (!(received[n] as string).startsWith("POST")) return "silence"; // more of a body
    answered++;
    return "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n";
  });
  const requests = [{ ...get("/"), method: "POST", bodyFile: join(folder, "body") }];
  const { total } = await drive(planFor(server, { requests, connections: 1, requestsPerSecond: 20, timeoutNs: 3e9 }));
  expect(answered).toBe(4);
  expect(total.account).toMatchObject({ scheduled: 4, sent: 4, failed: { unexpectedStatus: 4 }, timedOut: 0 });
  expect(total.account.bytesSent).toBeLessThan(4 * 6e6);
});
