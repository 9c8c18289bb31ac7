// Requests to the API server by what they ask for, from its own metrics: those of everybody, without what it does anyway.
import type { KubeClient } from "../../lib/kube/client.ts";

/** How long the cluster is looked at while nothing happens. */
export const idleSeconds = 20;

/** "POST pods/binding" → number since the server's start. */
export type RequestCounts = ReadonlyMap<string, number>;

export async function requestCounts(client: KubeClient): Promise<RequestCounts> {
  const text = await client.raw("/metrics", { timeoutMs: 30_000 });
  const counts = new Map<string, number>();
  for (const [, labels = "", value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string) => labels.match(new RegExp(`(?:^|,)${name}="([^"]*)"`))?.[1] ?? "";
    const [verb, resource, subresource] = [label("verb"), label("resource"), label("subresource")];
    if (resource === "") continue; // health and metrics themselves
    const key = `${verb} ${resource}${subresource === "" ? "" : `/${subresource}`}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(value));
  }
  return counts;
}

const isAside = (key: string) => /leases| events|pods\/log|WATCH/.test(key);

export function difference(before: RequestCounts, after: RequestCounts): RequestCounts {
  return new Map([...after].map(([key, count]) => [key, count - (before.get(key) ?? 0)]));
}

/** The requests of so many seconds, beside those of as many idle ones. */
export function tableOfRequests(counts: RequestCounts, idle: RequestCounts, lengthSeconds: number): string {
  const rows = [...counts].map(([key, count]) => {
    return { key, count, idly: ((idle.get(key) ?? 0) * lengthSeconds) / idleSeconds };
  });
  const asked = rows.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
  const total = (some: typeof asked) => some.reduce((sum, { count, idly }) => sum + Math.max(0, count - idly), 0);
  const counted = asked.filter(({ key }) => !isAside(key));
  const objects = counted.filter(({ key }) => /^POST [^/]*$/.test(key) && !/reviews|tokens/.test(key));
  return [
    "| request | here | when idle |\n| --- | --- | --- |",
    ...asked.map(({ key, count, idly }) => `| ${key} | ${count} | ${idly.toFixed(1)} |`),
    "",
    `${total(counted).toFixed(0)} requests in ${lengthSeconds.toFixed(1)} s, without watches, Events, Leases and log reads: ${total(asked.filter(({ key }) => isAside(key))).toFixed(0)}; ${total(objects).toFixed(0)} objects made`,
  ].join("\n");
}
