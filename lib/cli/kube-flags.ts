// kubectl's flags that say which cluster is meant, and as whom: the same on every subcommand that talks to a cluster.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Connection } from "../kube/connection.ts";
import { type ConnectionOptions, loadConnection } from "../kube/kubeconfig.ts";
import { parseDuration } from "../loadtest/duration.ts";

/** What commander makes of the flags. */
export interface KubeFlags {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  cluster?: string;
  user?: string;
  server?: string;
  tlsServerName?: string;
  certificateAuthority?: string;
  insecureSkipTlsVerify?: true;
  token?: string;
  clientCertificate?: string;
  clientKey?: string;
  as?: string;
  asUid?: string;
  asGroup?: string[];
  /** In ms. */
  requestTimeout?: number;
}

const ownNamespace = "the namespace (default: the context's, or the Pod's own)";
/** A timer can be no longer. */
const foreverMs = 2 ** 31 - 1;

/** Known to who knows kubectl, and in nobody else's way. */
const furtherFlags: readonly Option[] = [
  new Option("--cluster <name>", "the kubeconfig's cluster, in place of the context's"),
  new Option("--user <name>", "the kubeconfig's user, in place of the context's"),
  new Option("-s, --server <url>", "address of the API server").argParser(parseServer),
  new Option("--tls-server-name <name>", "name to verify the API server's certificate for"),
  new Option("--certificate-authority <file>", "authority of the API server's certificate"),
  new Option("--insecure-skip-tls-verify", "take any certificate of the API server"),
  new Option("--token <token>", "bearer token"),
  new Option("--client-certificate <file>", "client certificate"),
  new Option("--client-key <file>", "key of the client certificate"),
  new Option("--as <user>", "user to impersonate"),
  new Option("--as-group <group>", "group to impersonate, beside --as").argParser(
    (group: string, former: string[] | undefined) => [...(former ?? []), group],
  ),
  new Option("--as-uid <uid>", "uid to impersonate, beside --as"),
  new Option("--request-timeout <duration>", "longest wait for one answer, 0 for any").argParser(parseTimeoutMs),
];

const furtherHelp = `
kubectl's other flags for the connection work here as well: --cluster, --user,
--server, --token, --as, --as-group, --request-timeout and so on.`;

export function addKubeFlags(command: Command, namespaceHelp = ownNamespace): Command {
  return addClusterFlags(command).option("-n, --namespace <name>", namespaceHelp);
}

/** For what is in no namespace. */
export function addClusterFlags(command: Command): Command {
  return addConnectionFlags(
    command
      .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config, or the Pod's own cluster)")
      .option("--context <name>", "the kubeconfig's context (default: its current one)"),
  );
}

/** What says more of the connection than where it is in the kubeconfig. */
export function addConnectionFlags(command: Command): Command {
  for (const flag of furtherFlags) command.addOption(flag.hideHelp());
  return command.addHelpText("after", furtherHelp);
}

/** The connection that the flags ask for. Nothing is sent yet. */
export function connectionFromFlags(flags: KubeFlags): Promise<Connection> {
  return loadConnection(connectionOptions(flags));
}

/** Without what else a subcommand takes. */
export function connectionOptions(flags: KubeFlags): ConnectionOptions {
  const { kubeconfig, context, namespace, cluster, user, server, tlsServerName, certificateAuthority } = flags;
  const { insecureSkipTlsVerify, token, clientCertificate, clientKey, as, asUid } = flags;
  const options = {
    ...{ kubeconfig, context, namespace, cluster, user, server, tlsServerName, certificateAuthority },
    ...{ insecureSkipTlsVerify, token, clientCertificate, clientKey, as, asUid },
    ...{ asGroups: flags.asGroup, requestTimeoutMs: flags.requestTimeout },
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function parseServer(text: string): string {
  const protocol = URL.canParse(text) ? new URL(text).protocol : "";
  if (protocol === "http:" || protocol === "https:") return text;
  throw new InvalidArgumentError("It must be a URL such as https://192.0.2.7:6443.");
}

/** As kubectl reads it: a number alone is seconds. */
function parseTimeoutMs(text: string): number {
  const ns = parseDuration(/^[0-9]+$/.test(text) ? `${text}s` : text);
  if (ns !== undefined) return ns === 0 ? foreverMs : Math.min(Math.max(ns / 1e6, 1), foreverMs);
  throw new InvalidArgumentError("It must be a duration such as 30s, a number of seconds, or 0.");
}
