import { afterAll, expect, test } from "bun:test";
import type { ConnectionOptions } from "node:tls";
import type { CallerRules } from "../../lib/webhook/caller.ts";
import { TestPki } from "../kube/test-server.ts";
import { type Answer, Client, post } from "./client.ts";
import { reviewText } from "./reviews.ts";
import { type Serving, serving } from "./serving.ts";

const pki = new TestPki();
const certificate = { certPem: pki.pem("server.crt"), keyPem: pki.pem("server.key") };
const ca = pki.pem("ca.crt");
const request = post("/validate", reviewText("k-1"));

afterAll(() => pki.remove());

/** A client's certificate: of the authority, or of somebody else. */
function identity(name: "client" | "other"): ConnectionOptions {
  return { cert: pki.pem(`${name}.crt`), key: pki.pem(`${name}.key`) };
}

async function mutual(rules: Partial<CallerRules> = {}): Promise<Serving> {
  const server = await serving({ caller: { needsCertificate: true, ...rules } }, certificate);
  server.admission.useClientAuthorities(ca);
  return server;
}

async function ask({ port }: Serving, tls: ConnectionOptions, bytes = request): Promise<Answer> {
  const client = await Client.open(port, { ca, ...tls });
  client.send(bytes);
  const answer = await client.answer();
  client.close();
  return answer;
}

test.each(["TLSv1.2", "TLSv1.3"] as const)("only a client of the authority is answered (%s)", async (version) => {
  const server = await mutual();
  const tls = { minVersion: version, maxVersion: version };
  expect(await ask(server, { ...tls, ...identity("client") })).toMatchObject({ status: 200 });
  for (const stranger of [{}, identity("other")]) {
    const answer = await ask(server, { ...tls, ...stranger });
    expect(answer).toMatchObject({
      status: 401,
      body: expect.stringContaining("no valid client certificate") as never,
    });
  }
  expect(await server.metric("loadtest_admission_refused_total", { reason: "caller" })).toBe(2);
  server.admission.stop();
});

test("of the authority's clients only those with an allowed name are answered", async () => {
  const allowed = await mutual({ names: ["someone", "client"] });
  expect(await ask(allowed, identity("client"))).toMatchObject({ status: 200 });
  allowed.admission.stop();
  const others = await mutual({ names: ["someone", "client2"] });
  expect(await ask(others, identity("client"))).toMatchObject({ status: 401 });
  others.admission.stop();
});

test("authorities may be several, and are replaced as a whole", async () => {
  const server = await mutual();
  server.admission.useClientAuthorities(pki.pem("other.crt") + ca);
  expect(await ask(server, identity("client"))).toMatchObject({ status: 200 });
  server.admission.useClientAuthorities(pki.pem("other.crt"));
  expect(await ask(server, identity("client"))).toMatchObject({ status: 401 });
  expect(() => server.admission.useClientAuthorities("nothing")).toThrow("must be one or more in PEM");
  server.admission.stop();
});

test("while the authorities are not known, nobody is let in", async () => {
  const { admission, port } = await serving({ caller: { needsCertificate: true } }, certificate);
  expect(admission.problem()).toBe("no serving certificate yet");
  await (await Client.open(port)).ended();
  admission.stop();
});

test("only requests with the token are answered, and a new token replaces the old one", async () => {
  const server = await serving({}, certificate);
  const withToken = (value: string) => ask(server, {}, post("/validate", reviewText("k-1"), { Authorization: value }));
  server.admission.useCallerToken("secret\n");
  expect(await withToken("Bearer secret")).toMatchObject({ status: 200 });
  expect(await withToken("bearer  secret ")).toMatchObject({ status: 200 });
  for (const wrong of ["Bearer secre", "Bearer secret2", "Bearer ", "Basic secret", "secret", "Bearer secret secret"]) {
    expect(await withToken(wrong)).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
  }
  expect(await ask(server, {})).toMatchObject({ status: 401 });
  server.admission.useCallerToken("other");
  expect(await withToken("Bearer secret")).toMatchObject({ status: 401 });
  expect(await withToken("Bearer other")).toMatchObject({ status: 200 });
  for (const none of ["", " \n", "two words"]) expect(() => server.admission.useCallerToken(none)).toThrow("must be");
  expect(await withToken("Bearer other")).toMatchObject({ status: 200 });
  expect(server.logged.join()).not.toContain("secret");
  server.admission.stop();
});
