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
import { type EntryOverrides, withClusterOverrides, withUserOverrides } from "./overrides.ts";
import { credentialsReader } from "./user-credentials.ts";

/** What a context may be made to mean: other entries of the kubeconfig, and other values in them. */
export interface ContextOverrides extends EntryOverrides {
  readonly namespace?: string;
  readonly cluster?: string;
  readonly user?: string;
}

/** kubectl's flags of the same names. */
export interface ConnectionOptions extends ContextOverrides {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly requestTimeoutMs?: number;
}

/**
 * The connection of `--kubeconfig`, else $KUBECONFIG, else ~/.kube/config, else of the Pod that this runs in.
 * Nothing is sent and no plugin is run yet.
 */
export async function loadConnection(options: ConnectionOptions): Promise<Connection> {
  const { requestTimeoutMs } = options;
  const connection = await findConnection(options);
  return requestTimeoutMs === undefined ? connection : { ...connection, requestTimeoutMs };
}

async function findConnection({ kubeconfig: file, context, requestTimeoutMs, ...overrides }: ConnectionOptions) {
  const files = file === undefined ? searchList() : [file];
  const kubeconfig = file === undefined ? readKubeconfigList(files) : await readKubeconfigFile(file);
  if (kubeconfig !== undefined) return kubeconfigConnection(kubeconfig, context, overrides);
  const { namespace, ...others } = overrides;
  const isChanged = context !== undefined || Object.values(others).some((value) => value !== undefined);
  if (!isChanged && isInCluster()) return inClusterConnection(namespace);
  if (context === undefined && overrides.server !== undefined) {
    return kubeconfigConnection(emptyKubeconfig(files), undefined, overrides);
  }
  throw new Error(`Cannot find a cluster: there is no kubeconfig ${quoted(files)}, must be there or named`);
}

function emptyKubeconfig(files: readonly string[]): Kubeconfig {
  return { files, currentContext: undefined, clusters: new Map(), users: new Map(), contexts: new Map() };
}

function searchList(): string[] {
  const list = environment("KUBECONFIG");
  const home = environment("HOME") ?? homedir();
  return list === undefined ? [join(home, ".kube", "config")] : list.split(delimiter).filter((file) => file !== "");
}

/** What a command line may name of the kubeconfig that it would use; nothing where there is none. */
export async function knownKubeconfig(file: string | undefined): Promise<Kubeconfig> {
  return file === undefined
    ? (readKubeconfigList(searchList()) ?? emptyKubeconfig(searchList()))
    : await readKubeconfigFile(file);
}

/** The context that is meant when none is named; undefined where there is none, which `loadConnection` says in words. */
export async function currentContextName(file: string | undefined): Promise<string | undefined> {
  try {
    return (await knownKubeconfig(file)).currentContext;
  } catch {
    return undefined;
  }
}

/** The connection of one context (the current one when undefined) of a kubeconfig. */
export async function kubeconfigConnection(
  kubeconfig: Kubeconfig,
  contextName: string | undefined,
  overrides: ContextOverrides = {},
): Promise<Connection> {
  const { context, cluster, user } = chooseEntries(kubeconfig, contextName, overrides);
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
    namespace: overrides.namespace ?? (context.namespace || "default"),
    ...(proxyUrl ? { proxyUrl } : {}),
    credentials: new CredentialSource(() => explained(who, read)),
  };
}

function chooseEntries(
  kubeconfig: Kubeconfig,
  contextName: string | undefined,
  overrides: ContextOverrides,
): { context: Context; cluster: Cluster; user: User } {
  const { context: named, where } = chooseContext(kubeconfig, contextName, overrides);
  const context: Context = {
    ...named,
    ...(overrides.cluster === undefined ? {} : { cluster: overrides.cluster }),
    ...(overrides.user === undefined ? {} : { user: overrides.user }),
  };
  const found = kubeconfig.clusters.get(context.cluster);
  const cluster = withClusterOverrides(found, overrides);
  if (cluster === undefined || (found === undefined && context.cluster !== "")) {
    throw new Error(`Cannot use ${where}: cluster "${context.cluster}" must be in clusters`);
  }
  const user = context.user ? kubeconfig.users.get(context.user) : {};
  if (user === undefined) throw new Error(`Cannot use ${where}: user "${context.user}" must be in users`);
  return { context, cluster, user: withUserOverrides(user, overrides) };
}

/** Who names a cluster or a server needs no context. */
function chooseContext(
  kubeconfig: Kubeconfig,
  contextName: string | undefined,
  { cluster, server }: ContextOverrides,
): { context: Context; where: string } {
  const where = quoted(kubeconfig.files);
  const name = contextName ?? kubeconfig.currentContext;
  const known = `must be one of ${quoted([...kubeconfig.contexts.keys()]) || "its contexts, but it has none"}`;
  if (name === undefined) {
    if (cluster !== undefined || server !== undefined) return { context: { cluster: "" }, where };
    throw new Error(`Cannot use kubeconfig ${where}: current-context is not set, ${known}`);
  }
  const context = kubeconfig.contexts.get(name);
  if (context === undefined) throw new Error(`Cannot use context "${name}" of ${where}: there is none, ${known}`);
  return { context, where: `context "${name}" of ${where}` };
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
