// A user of OpenID Connect before a real API server, which asks a real issuer for its keys.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadtest } from "../binary/process.ts";
import { TestPki } from "../kube/test-server.ts";
import { type ControlPlane, missingControlPlane, startControlPlane } from "./control-plane.ts";
import { eventually, kubectlBinary } from "./kubectl.ts";

/** An issuer of id-tokens (OpenID Connect Discovery 1.0) at localhost, as much of it as an API server asks for. */
class Issuer {
  readonly #server: Bun.Server<undefined>;
  readonly #keys: CryptoKeyPair;

  private constructor(server: Bun.Server<undefined>, keys: CryptoKeyPair) {
    this.#server = server;
    this.#keys = keys;
  }

  static async start(pki: TestPki): Promise<Issuer> {
    const rsa = {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: Buffer.from([1, 0, 1]),
    };
    const keys = await crypto.subtle.generateKey(rsa, true, ["sign", "verify"]);
    const jwk = { ...(await crypto.subtle.exportKey("jwk", keys.publicKey)), kid: "1", use: "sig" };
    const server = Bun.serve({
      port: 0,
      tls: { cert: pki.pem("server.crt"), key: pki.pem("server.key") },
      routes: {
        "/.well-known/openid-configuration": (_, { port }) =>
          Response.json({
            issuer: `https://localhost:${port}`,
            jwks_uri: `https://localhost:${port}/keys`,
            response_types_supported: ["id_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
          }),
        "/keys": Response.json({ keys: [jwk] }),
      },
    });
    return new Issuer(server, keys);
  }

  get url(): string {
    return `https://localhost:${this.#server.port}`;
  }

  async idToken(claims: { sub: string; aud: string; exp: number }): Promise<string> {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "1" })}.${part({ iss: this.url, iat: claims.exp - 3600, ...claims })}`;
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", this.#keys.privateKey, Buffer.from(signed));
    return `${signed}.${Buffer.from(signature).toString("base64url")}`;
  }

  stop(): void {
    this.#server.stop(true);
  }
}

describe.skipIf(missingControlPlane !== undefined)("a user of OpenID Connect", () => {
  const pki = new TestPki();
  let issuer: Issuer;
  let plane: ControlPlane;

  beforeAll(async () => {
    issuer = await Issuer.start(pki);
    plane = await startControlPlane("oidc", {
      apiServerFlags: [
        ...[
          "--oidc-issuer-url",
          issuer.url,
          "--oidc-client-id",
          "loadtest",
          "--oidc-ca-file",
          join(pki.folder, "ca.crt"),
        ],
        ...["--oidc-username-claim", "sub", "--oidc-username-prefix", "oidc:"],
      ],
    });
  }, 90_000);

  afterAll(async () => {
    await plane.stop();
    issuer.stop();
    pki.remove();
  });

  /** Path of the administrator's kubeconfig, with this user instead. */
  async function kubeconfigWith(idToken: string): Promise<string> {
    const config = JSON.parse(readFileSync(plane.kubeconfig, "utf8"));
    const provider = { "id-token": idToken, "client-id": "loadtest", "idp-issuer-url": issuer.url };
    config.users[0].user = { "auth-provider": { name: "oidc", config: provider } };
    const file = join(pki.folder, "kubeconfig");
    await writeFile(file, JSON.stringify(config));
    return file;
  }
  const inAnHour = () => Math.round(Date.now() / 1000) + 3600;
  const whatIsRefused = async (kubeconfig: string) => (await loadtest(["status", "--kubeconfig", kubeconfig])).err;

  test("is who the issuer says, to kubectl and to the binary, and may do what is granted", async () => {
    const kubeconfig = await kubeconfigWith(await issuer.idToken({ sub: "eve", aud: "loadtest", exp: inAnHour() }));
    // An API server asks for the issuer's keys when it has started.
    await eventually(
      () => whatIsRefused(kubeconfig),
      (problem) => problem.includes('User "oidc:eve" cannot list resource "loadtests"'),
    );
    const kubectl = Bun.spawnSync([kubectlBinary, "--kubeconfig", kubeconfig, "auth", "whoami", "-o", "json"]);
    expect(JSON.parse(kubectl.stdout.toString()).status.userInfo.username).toBe("oidc:eve");
    await plane.kubectl(["create", "clusterrolebinding", "eve", "--clusterrole=cluster-admin", "--user=oidc:eve"]);
    await eventually(
      () => whatIsRefused(kubeconfig),
      (problem) => problem !== "" && !problem.includes("cannot list"),
    );
  }, 90_000);

  test("with a token for somebody else is nobody", async () => {
    const kubeconfig = await kubeconfigWith(await issuer.idToken({ sub: "eve", aud: "another", exp: inAnHour() }));
    expect(await whatIsRefused(kubeconfig)).toContain("Unauthorized");
  }, 60_000);
});
