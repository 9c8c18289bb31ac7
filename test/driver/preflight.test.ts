// What is tried before a load, against targets that take their time.
import { afterEach, expect, test } from "bun:test";
import { preflight } from "../../lib/driver/preflight.ts";
import { TargetError } from "../../lib/driver/target-error.ts";
import { backend, get, ok, planFor, serve, serveNobody } from "./drive.ts";
import { silentPort } from "./silent-port.ts";

const never = new AbortController().signal;
const undo: (() => void)[] = [];

afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** Some of them are not even due within the timeouts here. */
const requests = Array.from({ length: 200 }, (_, index) => get(`/${index}`));

test("a path that the timeout leaves no time to try has not failed", async () => {
  const server = serve((n) => (n < 3 ? ok : "silence"));
  expect(await preflight(planFor(server, { requests, timeoutNs: 1e9 }), never)).toEqual({
    requests: 4,
    failed: 1,
    example: 'GET "/3" to "web": no response within the timeout',
  });
});

test("no load begins where none of the paths that were tried is answered", async () => {
  const server = serve(() => "silence");
  const tried = preflight(planFor(server, { requests, timeoutNs: 1e9 }), never);
  await expect(tried).rejects.toBeInstanceOf(TargetError);
  expect(server.received.length).toBe(1);
});

test("all paths fail at a backend that cannot be reached", async () => {
  const [server, gone] = [serve(() => ok), serve(() => ok)];
  gone.stop();
  const backends = [backend("web", 50, server.port), backend("gone", 50, gone.port)];
  const plan = planFor(server, { requests: requests.slice(0, 10), backends, timeoutNs: 10e9 });
  expect(await preflight(plan, never)).toMatchObject({ requests: 10, failed: 10 });
});

test("a backend that answers no SYN within the timeout has not answered as expected", async () => {
  const server = serve(() => ok);
  undo.push(await silentPort("127.0.0.3", server.port));
  const silent = {
    ...backend("gone", 100, server.port),
    origin: { scheme: "http" as const, host: "127.0.0.3", port: server.port },
  };
  const plan = planFor(server, { requests: requests.slice(0, 2), timeoutNs: 300e6 });
  await expect(preflight({ ...plan, backends: [silent] }, never)).rejects.toMatchObject({ kind: "connect" });
  const backends = [backend("web", 50, server.port), { ...silent, percent: 50 }];
  expect(await preflight({ ...plan, backends }, never)).toEqual({
    requests: 2,
    failed: 2,
    example: expect.stringContaining('to "gone": Cannot connect to') as never,
  });
});

test("another attempt takes no longer than the timeout leaves, and the first failure is told", async () => {
  const server = serveNobody();
  undo.push(server.stop);
  const [web] = planFor(server).backends;
  const backends = [{ ...web, origin: { scheme: "https", host: "127.0.0.1", port: server.port } }] as never;
  const tls = { caFiles: [], insecure: true };
  const tried = preflight(planFor(server, { requests: [get("/")], backends, tls, timeoutNs: 300e6 }), never);
  await expect(tried).rejects.toMatchObject({
    message: expect.stringContaining("it was closed during the TLS handshake"),
  });
  expect(server.accepted()).toBe(2);
});
