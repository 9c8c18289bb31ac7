// Credentials printed by another program (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/).
// Run here and not by @kubernetes/client-node, which gives the program no KUBERNETES_EXEC_INFO, leaves its stdin open
// and does not say what is missing.
import { runCommand } from "../runtime/command.ts";
import type { Cluster, ExecConfig } from "./kubeconfig-file.ts";

const apiVersions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const timeoutMs = 120_000; // a browser may have to be opened and a password typed

export interface ExecCredentials {
  token: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  /** Infinity: until the server rejects them. */
  expiresAtMs: number;
}

interface ExecCredentialObject {
  apiVersion?: unknown;
  kind?: unknown;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

/**
 * What the plugin of a user prints for this cluster. Messages never hold what it printed.
 *
 * @param ca The certificate authority of the cluster, PEM.
 */
export async function runExecPlugin(
  exec: ExecConfig,
  cluster: Cluster,
  ca: string | undefined,
): Promise<ExecCredentials> {
  const cannot = `Cannot run the credential plugin "${exec.command}"`;
  if (!apiVersions.includes(exec.apiVersion)) {
    throw new Error(`${cannot}: apiVersion is "${exec.apiVersion}", must be one of ${apiVersions.join(", ")}`);
  }
  if (exec.interactiveMode === undefined && exec.apiVersion === apiVersions[0]) {
    throw new Error(`${cannot}: interactiveMode is missing, must be "IfAvailable" or "Never"`);
  }
  if (exec.interactiveMode === "Always") {
    throw new Error(`${cannot}: interactiveMode is "Always", must be "IfAvailable" or "Never"`);
  }
  const variables: Record<string, string> = { KUBERNETES_EXEC_INFO: execInfo(exec, cluster, ca) };
  for (const { name, value } of exec.env ?? []) variables[name] = value;
  let result: Awaited<ReturnType<typeof runCommand>>;
  try {
    result = await runCommand([exec.command, ...(exec.args ?? [])], variables, timeoutMs);
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw new Error(cannot, { cause: error });
    const hint = exec.installHint === undefined ? "" : `. ${exec.installHint.trim()}`;
    throw new Error(`${cannot}: there is no such program, must be installed${hint}`);
  }
  if (result.exitCode !== 0) throw new Error(`${cannot}: its exit code is ${result.exitCode}, must be 0`);
  return parseExecCredential(result.stdout, exec.apiVersion, cannot);
}

/** The plugin's input: the ExecCredential version expected, and the cluster when it wants to know. */
function execInfo(exec: ExecConfig, cluster: Cluster, ca: string | undefined): string {
  const spec = { interactive: false, ...(exec.provideClusterInfo ? { cluster: clusterInfo(cluster, ca) } : {}) };
  return JSON.stringify({ apiVersion: exec.apiVersion, kind: "ExecCredential", spec });
}

function clusterInfo(cluster: Cluster, ca: string | undefined): object {
  return {
    server: cluster.server,
    "tls-server-name": cluster["tls-server-name"],
    "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
    "certificate-authority-data": ca && Buffer.from(ca).toString("base64"),
    "proxy-url": cluster["proxy-url"],
    config: cluster.extensions?.find(({ name }) => name === "client.authentication.k8s.io/exec")?.extension,
  };
}

function parseExecCredential(stdout: string, apiVersion: string, cannot: string): ExecCredentials {
  let object: ExecCredentialObject | null;
  try {
    object = JSON.parse(stdout);
  } catch {
    throw new Error(`${cannot}: what it printed is not JSON, must be an ExecCredential`); // the cause would quote it
  }
  if (object?.kind !== "ExecCredential" || object.apiVersion !== apiVersion) {
    throw new Error(`${cannot}: what it printed must be an ExecCredential of ${apiVersion}`);
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = object.status ?? {};
  if (!token && !(cert && key)) {
    throw new Error(`${cannot}: it printed neither, must print status.token or a client certificate with its key`);
  }
  const expiresAtMs = expirationTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(expirationTimestamp);
  if (Number.isNaN(expiresAtMs)) {
    throw new Error(`${cannot}: status.expirationTimestamp is no instant, must be like 2006-01-02T15:04:05Z`);
  }
  return { token, cert, key, expiresAtMs };
}
