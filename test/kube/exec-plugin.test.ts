import { afterAll, beforeEach, expect, setSystemTime, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../lib/kube/connection.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { statusAnswer, TestPki } from "./test-server.ts";

const pki = new TestPki();
const folder = mkdtempSync(join(tmpdir(), "exec-plugin-"));
const v1 = "client.authentication.k8s.io/v1";

beforeEach(() => {
  rmSync(join(folder, "runs"), { force: true });
});

afterAll(() => {
  setSystemTime();
  rmSync(folder, { recursive: true });
  pki.remove();
});

/** A connection whose plugin is a shell script; it finds the number of its run in $run. */
async function connectionWith(script: string, exec: object = {}, cluster: object = {}): Promise<Connection> {
  const plugin = join(folder, "plugin");
  writeFileSync(
    plugin,
    `#!/bin/sh\necho run >> ${folder}/runs\nrun=$(wc -l < ${folder}/runs | tr -d ' ')\n${script}\n`,
  );
  chmodSync(plugin, 0o755);
  const kubeconfig = join(folder, "config");
  const user = { exec: { apiVersion: v1, command: "./plugin", interactiveMode: "Never", ...exec } };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      "current-context": "x",
      clusters: [{ name: "c", cluster: { server: "https://localhost:1", ...cluster } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    }),
  );
  return loadConnection({ kubeconfig });
}

function printing(status: string, apiVersion = v1): string {
  return `cat <<END\n{"kind": "ExecCredential", "apiVersion": "${apiVersion}", "status": ${status}}\nEND`;
}

async function authorizationOf(connection: Connection): Promise<string | undefined> {
  return (await connection.credentials.current()).headers["Authorization"];
}

async function failureOf(connection: Connection): Promise<string> {
  const error: unknown = await connection.credentials.current().catch((reason: unknown) => reason);
  return String((error as Error).cause);
}

test("the plugin's token is used, and the plugin run once while it is good", async () => {
  const connection = await connectionWith(printing(`{"token": "t$run"}`));
  expect(existsSync(join(folder, "runs"))).toBe(false);
  expect(await authorizationOf(connection)).toBe("Bearer t1");
  expect(await authorizationOf(connection)).toBe("Bearer t1");
});

test("the plugin is run again when its credentials have run out", async () => {
  const connection = await connectionWith(
    printing(`{"token": "t$run", "expirationTimestamp": "2030-01-01T00:00:00Z"}`),
  );
  setSystemTime(new Date("2029-12-31T23:59:59Z"));
  expect(await authorizationOf(connection)).toBe("Bearer t1");
  expect(await authorizationOf(connection)).toBe("Bearer t1");
  setSystemTime(new Date("2030-01-01T00:00:00Z"));
  expect(await authorizationOf(connection)).toBe("Bearer t2");
  setSystemTime();
});

test("the plugin is run again once when the server rejects its credentials", async () => {
  const seen: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    tls: { cert: pki.pem("server.crt"), key: pki.pem("server.key") },
    fetch: (request) => {
      seen.push(request.headers.get("Authorization"));
      return seen.at(-1) === "Bearer t2" ? new Response("ok") : statusAnswer(401, "Unauthorized", "Unauthorized");
    },
  });
  const connection = await connectionWith(
    printing(`{"token": "t$run"}`),
    {},
    {
      server: `https://localhost:${server.port}`,
      "certificate-authority-data": pki.base64("ca.crt"),
    },
  );
  expect(await new HttpKubeClient(connection).raw("/readyz")).toBe("ok");
  expect(seen).toEqual(["Bearer t1", "Bearer t2"]);
  await server.stop(true);
});

test("users of one name in two kubeconfigs do not share credentials", async () => {
  const first = await connectionWith(printing(`{"token": "first"}`));
  expect(await authorizationOf(first)).toBe("Bearer first");
  const second = await connectionWith(printing(`{"token": "second"}`));
  expect(await authorizationOf(second)).toBe("Bearer second");
  expect(await authorizationOf(first)).toBe("Bearer first");
});

test("a client certificate from the plugin is used", async () => {
  const [cert, key] = [pki.pem("client.crt"), pki.pem("client.key")];
  const status = JSON.stringify({ clientCertificateData: cert, clientKeyData: key }).replaceAll("\\", "\\\\");
  const connection = await connectionWith(printing(status));
  expect((await connection.credentials.current()).tls).toEqual({ cert, key });
});

test("the plugin is told the version expected and, if it asks, the cluster", async () => {
  const script = `printf %s "$KUBERNETES_EXEC_INFO" > ${folder}/info\n${printing(`{"token": "$GREETING-$1"}`)}`;
  const exec = { args: ["arg"], env: [{ name: "GREETING", value: "hello" }], provideClusterInfo: true };
  const cluster = {
    "certificate-authority-data": pki.base64("ca.crt"),
    extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "a" } }],
  };
  expect(await authorizationOf(await connectionWith(script, exec, cluster))).toBe("Bearer hello-arg");
  expect(JSON.parse(readFileSync(join(folder, "info"), "utf8"))).toEqual({
    apiVersion: v1,
    kind: "ExecCredential",
    spec: {
      interactive: false,
      cluster: {
        server: "https://localhost:1",
        "certificate-authority-data": pki.base64("ca.crt"),
        config: { audience: "a" },
      },
    },
  });
});

test("v1beta1 is spoken, too", async () => {
  const apiVersion = "client.authentication.k8s.io/v1beta1";
  const connection = await connectionWith(printing(`{"token": "t"}`, apiVersion), { apiVersion });
  expect(await authorizationOf(connection)).toBe("Bearer t");
});

test.each([
  [
    "a program that is not there",
    "",
    { command: "no-such-plugin", installHint: "Get it at a shop." },
    "Get it at a shop.",
  ],
  ["another exit code", "exit 3", {}, "exit code is 3"],
  ["no JSON", "echo secret", {}, "not JSON"],
  ["an older version", printing("{}", "client.authentication.k8s.io/v1beta1"), {}, `an ExecCredential of ${v1}`],
  ["no credentials", printing("{}"), {}, "must print status.token"],
  ["an expiry that is none", printing(`{"token": "secret", "expirationTimestamp": "soon"}`), {}, "no instant"],
  ["a version never heard of", "", { apiVersion: "client.authentication.k8s.io/v1alpha1" }, "must be one of"],
  ["a plugin of unknown manners", "", { interactiveMode: undefined }, "interactiveMode is missing"],
  ["a plugin that must ask", "", { interactiveMode: "Always" }, '"Always", must be "IfAvailable" or "Never"'],
])("%s is a clear error", async (_, script, exec, words) => {
  const failure = await failureOf(await connectionWith(script, exec));
  expect(failure).toContain(words);
  expect(failure).not.toContain("secret");
});
