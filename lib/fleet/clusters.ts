// The clusters that a command line names by their contexts, asked at the same time, each within a deadline of its own.
// One that cannot be reached is a value with the reason, so that what is said of the others is never lost over it.
import type { KubeClient } from "../kube/client.ts";
import { HttpKubeClient } from "../kube/http-client.ts";
import {
  type ConnectionOptions,
  type ContextOverrides,
  currentContextName,
  loadConnection,
} from "../kube/kubeconfig.ts";
import { sleep } from "../runtime/clock.ts";
import { messageOf } from "../runtime/error-message.ts";
import { BoundClient } from "./bound-client.ts";

export interface Cluster {
  /** The context's name, by which people know the cluster. */
  readonly context: string;
  readonly client: KubeClient;
  /** Of its API server, such as `v1.34.4`. */
  readonly version: string;
  /** Where commands work that name no namespace. */
  readonly namespace: string;
  /** What the kubeconfig trusts; absent where that is left to the machine. */
  readonly certificateAuthority: string | undefined;
  /** Aborted when the time for this cluster is over; every call of `client` ends then. */
  readonly signal: AbortSignal;
}

export type Outcome<T> =
  | { readonly context: string; readonly value: T }
  | { readonly context: string; readonly error: string };

export interface FleetOptions {
  /** Absent: the kubeconfigs that kubectl would read. */
  readonly kubeconfig?: string;
  /** What is changed in every context. */
  readonly overrides?: ContextOverrides & { readonly requestTimeoutMs?: number };
  /** In the order of the outcomes. Empty: the current context alone, or the Pod's own cluster. */
  readonly contexts: readonly string[];
  /** For all that is done with one cluster, from its first connection on. */
  readonly deadlineMs: number;
  /** Ends it all. */
  readonly stop: AbortSignal;
}

/** What `work` finds on each cluster, or why it could not; in the order of the contexts. Never rejects. */
export async function onClusters<T>(
  { kubeconfig, overrides = {}, contexts, deadlineMs, stop }: FleetOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<Outcome<T>[]> {
  const options = { ...overrides, ...(kubeconfig === undefined ? {} : { kubeconfig }) };
  const named = contexts.length === 0 ? [await currentContextName(kubeconfig)] : contexts;
  return Promise.all(
    named.map((context) => {
      const name = context ?? "this cluster";
      const connection = { ...options, ...(context === undefined ? {} : { context }) };
      return within(name, deadlineMs, stop, async (signal) => work(await reach(name, connection, signal)));
    }),
  );
}

/** What `work` finds in time. What it still asks afterwards is refused by its signal, so that nothing happens late. */
async function within<T>(
  context: string,
  deadlineMs: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Outcome<T>> {
  const finished = new AbortController();
  const late = new AbortController();
  const signal = AbortSignal.any([stop, late.signal]);
  const ending = sleep(deadlineMs, AbortSignal.any([finished.signal, stop])).then(() => {
    late.abort(new Error(stop.aborted ? "interrupted" : `no answer within ${deadlineMs / 1000} s`));
    return Promise.reject(late.signal.reason);
  });
  try {
    return { context, value: await Promise.race([work(signal), ending]) };
  } catch (error: unknown) {
    return { context, error: late.signal.aborted ? (late.signal.reason as Error).message : messageOf(error) };
  } finally {
    ending.catch(() => undefined); // when all is done there is nobody left to tell
    finished.abort();
  }
}

async function reach(context: string, options: ConnectionOptions, signal: AbortSignal): Promise<Cluster> {
  const connection = await loadConnection(options);
  const client = new BoundClient(new HttpKubeClient(connection), signal);
  const { gitVersion } = JSON.parse(await client.raw("/version")) as { gitVersion: string };
  const { tls } = await connection.credentials.current();
  const { namespace } = connection;
  return { context, client, version: gitVersion, namespace, certificateAuthority: tls.ca, signal };
}
