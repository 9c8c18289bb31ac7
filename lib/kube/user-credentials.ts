// A cluster and a user of a kubeconfig → how to read the credentials, now and whenever they have run out.
//
// What stands in the kubeconfig or in files it names (certificates, keys, tokens, basic authentication) is read by
// @kubernetes/client-node. Ours are exec plugins, token files and OIDC, and the refusal, in words, of what that library
// would silently leave out. An id-token of OIDC is used until it runs out: a refresh belongs to whoever can write the
// kubeconfig, since an issuer may take each refresh-token once only.
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { nowMs } from "../runtime/clock.ts";
import { readTextFile } from "../runtime/files.ts";
import { type Credentials, fileLifetimeMs, type ReadCredentials } from "./credentials.ts";
import { type ExecCredentials, runExecPlugin } from "./exec-plugin.ts";
import { impersonationHeaders } from "./impersonation.ts";
import type { Cluster, User } from "./kubeconfig-file.ts";
import { tlsOptions } from "./tls-options.ts";

/**
 * The function that reads the credentials of `someone` for `cluster`; throws at once for what is not supported. Over plain
 * http they would be for everybody to read, so that nobody sends them, as nobody does with kubectl.
 */
export async function credentialsReader(cluster: Cluster, someone: User): Promise<() => Promise<ReadCredentials>> {
  const user = cluster.server.startsWith("http:") ? {} : someone;
  checkSupported(cluster, user);
  const impersonation = impersonationHeaders(someone);
  const library = await libraryConfig(cluster, user);
  return async () => {
    const request: RequestOptions = {};
    await library.applyToHTTPSOptions(request);
    const exec = user.exec && (await runExecPlugin(user.exec, cluster, text(request.ca)));
    const headers = { ...(await authorization(user, request, exec)), ...impersonation };
    const tls = tlsOptions({
      ca: text(request.ca),
      cert: exec?.cert ?? text(request.cert),
      key: exec?.key ?? text(request.key),
      serverName: request.servername,
      rejectUnauthorized: request.rejectUnauthorized,
    });
    return { credentials: { tls, headers }, renewAtMs: renewAtMs(cluster, user, headers, exec) };
  };
}

function checkSupported(cluster: Cluster, user: User): void {
  if (
    cluster["insecure-skip-tls-verify"] &&
    (cluster["certificate-authority"] || cluster["certificate-authority-data"])
  ) {
    throw new Error("insecure-skip-tls-verify is set beside a certificate-authority, must be only one of them");
  }
  const provider = user["auth-provider"];
  if (provider === undefined) return;
  if (provider.name !== "oidc")
    throw new Error(`its auth-provider is "${provider.name}", must be "oidc" or an exec plugin`);
  if (jwtExpiresAtMs(provider.config?.["id-token"] ?? "") === undefined) {
    throw new Error("the id-token of its auth-provider is no JWT with an expiry, must be renewed by logging in");
  }
}

/** The library's view: one context, data before files as in kubectl, and nothing of what is ours. */
async function libraryConfig(cluster: Cluster, user: User): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js"); // 40 ms: only where it is needed
  const library = new KubeConfig();
  library.loadFromClusterAndUser(
    {
      name: "cluster",
      server: cluster.server,
      // the library wants this flag for plain http, where it means nothing
      skipTLSVerify: cluster["insecure-skip-tls-verify"] === true || cluster.server.startsWith("http:"),
      ...dataOrFile("ca", cluster["certificate-authority-data"], cluster["certificate-authority"]),
      ...(cluster["tls-server-name"] ? { tlsServerName: cluster["tls-server-name"] } : {}),
    },
    {
      name: "user",
      ...dataOrFile("cert", user["client-certificate-data"], user["client-certificate"]),
      ...dataOrFile("key", user["client-key-data"], user["client-key"]),
      ...(user.token ? { token: user.token } : {}),
      ...(user.username ? { username: user.username, password: user.password ?? "" } : {}),
    },
  );
  return library;
}

function dataOrFile(what: string, data: string | undefined, file: string | undefined): object {
  if (data) return { [`${what}Data`]: data };
  return file ? { [`${what}File`]: file } : {};
}

/** The Authorization header: of token file, token, plugin, OIDC or basic authentication, the first there is. */
async function authorization(
  user: User,
  request: RequestOptions,
  exec: ExecCredentials | undefined,
): Promise<Record<string, string>> {
  const token = user.tokenFile ? (await readTextFile(user.tokenFile)).trim() : exec?.token;
  const given = (request.headers as Record<string, string> | undefined)?.["Authorization"];
  if (token && (user.tokenFile || given === undefined)) return { Authorization: `Bearer ${token}` };
  if (given !== undefined) return { Authorization: given };
  const idToken = user["auth-provider"]?.config?.["id-token"];
  if (idToken !== undefined) {
    if ((jwtExpiresAtMs(idToken) ?? 0) > nowMs()) return { Authorization: `Bearer ${idToken}` };
    throw new Error("its id-token has run out, must be renewed by kubectl or by logging in");
  }
  return request.auth ? { Authorization: `Basic ${Buffer.from(request.auth).toString("base64")}` } : {};
}

/** A plugin and an OIDC provider are asked again only when what they gave has run out, files each minute. */
function renewAtMs(
  cluster: Cluster,
  user: User,
  headers: Credentials["headers"],
  exec: ExecCredentials | undefined,
): number {
  if (exec !== undefined) return exec.expiresAtMs;
  if (user["auth-provider"] !== undefined) return jwtExpiresAtMs(headers["Authorization"] ?? "") ?? nowMs();
  const files = [cluster["certificate-authority"], user["client-certificate"], user["client-key"], user.tokenFile];
  return files.some(Boolean) ? nowMs() + fileLifetimeMs : Number.POSITIVE_INFINITY;
}

/** When a JWT (RFC 7519) expires; undefined when it is none or never does. */
function jwtExpiresAtMs(token: string): number | undefined {
  try {
    const payload: { exp?: unknown } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return typeof payload.exp === "number" ? payload.exp * 1000 : undefined;
  } catch {
    return undefined; // not JSON: no JWT
  }
}

function text(pem: unknown): string | undefined {
  return pem === undefined || pem === null ? undefined : String(pem);
}
