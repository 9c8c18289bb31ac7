// Names for the completion of values: contexts, clusters and users of the kubeconfig, namespaces and LoadTests of the
// cluster. A shell waits for them, so they come soon or not at all, and a word is no place for complaints.
import { HttpKubeClient } from "../kube/http-client.ts";
import { knownKubeconfig } from "../kube/kubeconfig.ts";
import type { Kubeconfig } from "../kube/kubeconfig-file.ts";
import { clusterResource, loadtests, type Resource } from "../kube/resource.ts";
import type { Question } from "./candidates.ts";
import { connectionFromFlags } from "./kube-flags.ts";

const timeoutMs = 2000;

const kubeconfigNames: Readonly<Record<string, (kubeconfig: Kubeconfig) => ReadonlyMap<string, unknown>>> = {
  "--context": ({ contexts }) => contexts,
  "--contexts": ({ contexts }) => contexts,
  "--cluster": ({ clusters }) => clusters,
  "--user": ({ users }) => users,
};
const clusterNames: Readonly<Record<string, Resource>> = {
  "--namespace": clusterResource("", "Namespace"),
  "status 0": loadtests,
};

export async function knownNames({ about, flags }: Question): Promise<readonly string[]> {
  const namesIn = kubeconfigNames[about];
  const resource = clusterNames[about];
  try {
    if (namesIn !== undefined) return [...namesIn(await knownKubeconfig(flags["kubeconfig"])).keys()];
    return resource === undefined ? [] : await listNames(resource, flags);
  } catch {
    return []; // no cluster to be had now: nothing is known
  }
}

async function listNames(resource: Resource, flags: Question["flags"]): Promise<string[]> {
  const { asGroup: _, requestTimeout: __, ...plain } = flags;
  const connection = await connectionFromFlags(plain);
  const scope = resource.namespaced ? { namespace: connection.namespace } : {};
  const signal = AbortSignal.timeout(timeoutMs);
  const { items } = await new HttpKubeClient(connection).list(resource, { ...scope, timeoutMs, signal });
  return items.map(({ metadata }) => metadata.name);
}
