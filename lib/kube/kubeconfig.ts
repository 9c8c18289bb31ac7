// Which cluster a command line means, and the connection to it: kubectl's rules, and the Pod's own cluster after them.
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { environment } from "../runtime/process.ts";
import type { Connection } from "./connection.ts";
import { CredentialSource } from "./credentials.ts";
import { inClusterConnection, isInCluster } from "./in-cluster.ts";
import {
  type Cluster,
  type Context,
  type Kubeconfig,
  readKubeconfigFile,
  readKubeconfigList,
  type User,
} from "./kubeconfig-file.ts";
import { credentialsReader } from "./user-credentials.ts";

/** The flags `--kubeconfig`, `--context` and `--namespace`. */
export interface ConnectionOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/**
 * The connection of `--kubeconfig`, else $KUBECONFIG, else ~/.kube/config, else of the Pod that this runs in.
 * Nothing is sent and no plugin is run yet.
 */
export async function loadConnection(options: ConnectionOptions): Promise<Connection> {
  const { kubeconfig: file, context, namespace } = options;
  if (file !== undefined) return kubeconfigConnection(await readKubeconfigFile(file), context, namespace);
  const files = searchList();
  const kubeconfig = readKubeconfigList(files);
  if (kubeconfig !== undefined) return kubeconfigConnection(kubeconfig, context, namespace);
  if (context === undefined && isInCluster()) return inClusterConnection(namespace);
  throw new Error(`Cannot find a cluster: there is no kubeconfig ${quoted(files)}, must be there or named`);
}

/**
 * The context that is meant when none is named; undefined where there is no kubeconfig, or none that can be read, which
 * `loadConnection` says in words.
 */
export async function currentContextName(file?: string): Promise<string | undefined> {
  try {
    const kubeconfig = file === undefined ? readKubeconfigList(searchList()) : await readKubeconfigFile(file);
    return kubeconfig?.currentContext;
  } catch {
    return undefined;
  }
}

function searchList(): string[] {
  const list = environment("KUBECONFIG");
  const home = environment("HOME") ?? homedir();
  return list === undefined ? [join(home, ".kube", "config")] : list.split(delimiter).filter((file) => file !== "");
}

/** The connection of one context (the current one when undefined) of a kubeconfig. */
export async function kubeconfigConnection(
  kubeconfig: Kubeconfig,
  contextName: string | undefined,
  namespace: string | undefined,
): Promise<Connection> {
  const { context, cluster, user } = chooseEntries(kubeconfig, contextName);
  const proxyUrl = cluster["proxy-url"];
  if (proxyUrl && !/^https?:\/\//.test(proxyUrl)) {
    const scheme = proxyUrl.split(":", 1)[0];
    throw new Error(
      `Cannot use cluster "${context.cluster}": the scheme of its proxy-url is "${scheme}", must be http or https`,
    );
  }
  const who = `Cannot use user "${context.user ?? ""}" with cluster "${context.cluster}"`;
  const read = await explained(who, () => credentialsReader(cluster, user));
  return {
    serverUrl: cluster.server.replace(/\/+$/, ""),
    namespace: namespace ?? (context.namespace || "default"),
    ...(proxyUrl ? { proxyUrl } : {}),
    credentials: new CredentialSource(() => explained(who, read)),
  };
}

function chooseEntries(
  kubeconfig: Kubeconfig,
  contextName: string | undefined,
): { context: Context; cluster: Cluster; user: User } {
  const where = quoted(kubeconfig.files);
  const name = contextName ?? kubeconfig.currentContext;
  const known = `must be one of ${quoted([...kubeconfig.contexts.keys()]) || "its contexts, but it has none"}`;
  if (name === undefined) throw new Error(`Cannot use kubeconfig ${where}: current-context is not set, ${known}`);
  const context = kubeconfig.contexts.get(name);
  if (context === undefined) throw new Error(`Cannot use context "${name}" of ${where}: there is none, ${known}`);
  const cluster = kubeconfig.clusters.get(context.cluster);
  if (cluster === undefined) {
    throw new Error(`Cannot use context "${name}" of ${where}: cluster "${context.cluster}" must be in clusters`);
  }
  const user = context.user ? kubeconfig.users.get(context.user) : {};
  if (user === undefined) {
    throw new Error(`Cannot use context "${name}" of ${where}: user "${context.user}" must be in users`);
  }
  return { context, cluster, user };
}

async function explained<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error: unknown) {
    throw new Error(what, { cause: error });
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
