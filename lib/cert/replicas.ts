// What all running replicas of the endpoint present. One that refuses connections serves nobody, and will read the
// newest certificate once it does.
import type { KubeClient } from "../kube/client.ts";
import { pods } from "../kube/resource.ts";
import { extensionLabels, extensionNamespace, ports } from "../manifest/names.ts";
import type { Presented } from "../pki/serving.ts";
import { type Endpoint, shakeHands } from "./handshake.ts";

const timeoutMs = 2000;

/** The Pods of the Deployment. */
export async function podEndpoints(client: KubeClient, serverName: string): Promise<Map<string, Endpoint>> {
  const labelSelector = Object.entries(extensionLabels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  const { items } = await client.list(pods, { namespace: extensionNamespace, labelSelector });
  return new Map(
    items.flatMap(({ metadata, status }): [string, Endpoint][] => {
      const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
      if (status?.podIP === undefined || hasEnded) return [];
      return [[metadata.name, { host: status.podIP, port: ports.admission, serverName }]];
    }),
  );
}

export async function askAll(endpoints: ReadonlyMap<string, Endpoint>): Promise<Map<string, Presented>> {
  const answers = await Promise.all(
    [...endpoints].map(async ([name, endpoint]) => [name, await shakeHands(endpoint, timeoutMs)] as const),
  );
  return new Map(answers.flatMap(([name, answer]) => ("refused" in answer ? [] : [[name, answer] as const])));
}
