// --kubeconfig, --context and --namespace: the same on every subcommand that talks to a cluster.
import type { Command } from "commander";
import type { Connection } from "../kube/connection.ts";
import { loadConnection } from "../kube/kubeconfig.ts";

/** What commander makes of the flags. */
export interface KubeFlags {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

const ownNamespace = "the namespace (default: the context's, or the Pod's own)";

export function addKubeFlags(command: Command, namespaceHelp = ownNamespace): Command {
  return addClusterFlags(command).option("-n, --namespace <name>", namespaceHelp);
}

/** For what is in no namespace. */
export function addClusterFlags(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config, or the Pod's own cluster)")
    .option("--context <name>", "the kubeconfig's context (default: its current one)");
}

/** The connection that the flags ask for. Nothing is sent yet. */
export function connectionFromFlags({ kubeconfig, context, namespace }: KubeFlags): Promise<Connection> {
  return loadConnection({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  });
}
