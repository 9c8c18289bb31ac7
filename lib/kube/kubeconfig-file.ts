// Kubeconfig files → one value (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/). The rules are kubectl's:
// of several files the first to name an entry wins with the whole entry, and a relative path starts at its own file.
import { dirname, isAbsolute, join, resolve } from "node:path";
import Type, { type Static } from "typebox";
import Value from "typebox/value";
import { LineCounter, parseDocument } from "yaml";
import { readTextFile, readTextFileIfPresent } from "../runtime/files.ts";

const ExecConfig = Type.Object({
  apiVersion: Type.String(),
  command: Type.String({ minLength: 1 }),
  args: Type.Optional(Type.Array(Type.String())),
  env: Type.Optional(Type.Array(Type.Object({ name: Type.String(), value: Type.String() }))),
  installHint: Type.Optional(Type.String()),
  interactiveMode: Type.Optional(Type.String()),
  provideClusterInfo: Type.Optional(Type.Boolean()),
});
export type ExecConfig = Static<typeof ExecConfig>;

const Cluster = Type.Object({
  server: Type.String({ pattern: "^https?://[^@]+$" }),
  "certificate-authority": Type.Optional(Type.String()),
  "certificate-authority-data": Type.Optional(Type.String()),
  "insecure-skip-tls-verify": Type.Optional(Type.Boolean()),
  "tls-server-name": Type.Optional(Type.String()),
  "proxy-url": Type.Optional(Type.String()),
  extensions: Type.Optional(Type.Array(Type.Object({ name: Type.String(), extension: Type.Unknown() }))),
});
export type Cluster = Static<typeof Cluster>;

const User = Type.Object({
  "client-certificate": Type.Optional(Type.String()),
  "client-certificate-data": Type.Optional(Type.String()),
  "client-key": Type.Optional(Type.String()),
  "client-key-data": Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
  tokenFile: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  as: Type.Optional(Type.String()),
  "as-uid": Type.Optional(Type.String()),
  "as-groups": Type.Optional(Type.Array(Type.String())),
  "as-user-extra": Type.Optional(Type.Object({})),
  exec: Type.Optional(ExecConfig),
  "auth-provider": Type.Optional(
    Type.Object({
      name: Type.String(),
      config: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
});
export type User = Static<typeof User>;

const Context = Type.Object({
  cluster: Type.String(),
  user: Type.Optional(Type.String()),
  namespace: Type.Optional(Type.String()),
});
export type Context = Static<typeof Context>;

const KubeconfigFile = Type.Object({
  "current-context": Type.Optional(Type.String()),
  clusters: Type.Optional(Type.Array(Type.Object({ name: Type.String(), cluster: Cluster }))),
  users: Type.Optional(Type.Array(Type.Object({ name: Type.String(), user: Type.Optional(User) }))),
  contexts: Type.Optional(Type.Array(Type.Object({ name: Type.String(), context: Context }))),
});
type KubeconfigFile = Static<typeof KubeconfigFile>;

/** All files as one: entries by name, paths absolute. */
export interface Kubeconfig {
  /** Where it comes from, for messages. */
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly users: ReadonlyMap<string, User>;
  readonly contexts: ReadonlyMap<string, Context>;
}

/** The one file that a flag names; it must be there. */
export async function readKubeconfigFile(file: string): Promise<Kubeconfig> {
  return mergeKubeconfigs([[file, parseKubeconfig(await readTextFile(file), file)]]);
}

/** The files of a search list; those that do not exist are left out. undefined: none exists. */
export function readKubeconfigList(files: readonly string[]): Kubeconfig | undefined {
  const found = files.flatMap((file): [string, KubeconfigFile][] => {
    const text = readTextFileIfPresent(file);
    return text === undefined ? [] : [[file, parseKubeconfig(text, file)]];
  });
  return found.length === 0 ? undefined : mergeKubeconfigs(found);
}

/** Throws with file, line or field, and never with a value: values may be secrets. */
function parseKubeconfig(text: string, file: string): KubeconfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntaxError = document.errors[0];
  if (syntaxError !== undefined) {
    const { line } = lines.linePos(syntaxError.pos[0]);
    throw new Error(`Cannot read kubeconfig "${file}": ${syntaxError.code} in line ${line}, must be YAML`);
  }
  let value: unknown;
  try {
    // kubectl writes `users: null` for an empty list: null is absent
    value = document.toJS({ reviver: (_, entry) => entry ?? undefined }) ?? {};
  } catch {
    throw new Error(`Cannot read kubeconfig "${file}": its aliases do not resolve or expand too far, must be YAML`);
  }
  const [fieldError] = Value.Errors(KubeconfigFile, value);
  if (fieldError !== undefined || !Value.Check(KubeconfigFile, value)) {
    const where = fieldError?.instancePath || "the document";
    throw new Error(`Cannot read kubeconfig "${file}": ${where} ${fieldError?.message}`);
  }
  const twice = duplicateIn(value.clusters) ?? duplicateIn(value.users) ?? duplicateIn(value.contexts);
  if (twice !== undefined) throw new Error(`Cannot read kubeconfig "${file}": "${twice}" is there twice, must be once`);
  return value;
}

function duplicateIn(entries: readonly { name: string }[] = []): string | undefined {
  return entries.find(({ name }, index) => entries.slice(0, index).some((other) => other.name === name))?.name;
}

function mergeKubeconfigs(parsed: readonly (readonly [file: string, content: KubeconfigFile])[]): Kubeconfig {
  let currentContext: string | undefined;
  const clusters = new Map<string, Cluster>();
  const users = new Map<string, User>();
  const contexts = new Map<string, Context>();
  for (const [file, content] of parsed) {
    const folder = dirname(resolve(file));
    currentContext ||= content["current-context"];
    for (const { name, cluster } of content.clusters ?? []) addFirst(clusters, name, absoluteCluster(cluster, folder));
    for (const { name, user } of content.users ?? []) addFirst(users, name, absoluteUser(user ?? {}, folder));
    for (const { name, context } of content.contexts ?? []) addFirst(contexts, name, context);
  }
  return {
    files: parsed.map(([file]) => file),
    currentContext: currentContext || undefined,
    clusters,
    users,
    contexts,
  };
}

function addFirst<T>(entries: Map<string, T>, name: string, entry: T): void {
  if (!entries.has(name)) entries.set(name, entry);
}

function absoluteCluster(cluster: Cluster, folder: string): Cluster {
  return absolutePaths(cluster, ["certificate-authority"], folder);
}

function absoluteUser(user: User, folder: string): User {
  const absolute = absolutePaths(user, ["client-certificate", "client-key", "tokenFile"], folder);
  if (!user.exec?.command.includes("/")) return absolute; // a bare name is looked up in the PATH
  return { ...absolute, exec: absolutePaths(user.exec, ["command"], folder) };
}

function absolutePaths<T extends object>(entry: T, fields: readonly (keyof T)[], folder: string): T {
  const absolute = { ...entry };
  for (const field of fields) {
    const path = entry[field];
    if (typeof path === "string" && path !== "" && !isAbsolute(path))
      absolute[field] = join(folder, path) as typeof path;
  }
  return absolute;
}
