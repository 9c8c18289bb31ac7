// What a LoadTest costs and how soon it sends, on the cluster of LOADTEST_KUBECONFIG, as nginx and the API server see it:
//   from its creation to the first request at the server, by the number of workers, and how far apart workers begin
//   requests to the API server of everybody from its creation to its verdict, and how soon that comes
// Prints Markdown. Nothing else may use the cluster meanwhile.

import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { loadtests, pods } from "../../lib/kube/resource.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { loadTestLabel } from "../../lib/plan/names.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { type Access, accessLog, startNginx } from "../../test/cluster/access-log.ts";
import { installController, installKinds, removeExtension } from "../../test/cluster/extension.ts";
import { kubeconfig } from "../../test/cluster/kubectl.ts";
import { difference, idleSeconds, type RequestCounts, requestCounts, tableOfRequests } from "./api-requests.ts";
import { bareStartMs } from "./bare-pod.ts";

const namespace = "loadtest-start-bench";
const runs = Number(process.argv[2] ?? 3);
const client = new HttpKubeClient(await loadConnection({ kubeconfig }));

/** When things happened, in ms since the Unix epoch. */
interface Course {
  createdAtMs: number;
  /** All Pods were seen to run. */
  runningAtMs: number;
  /** The verdict was seen on the object. */
  judgedAtMs: number;
  /** Until then. */
  requests: RequestCounts;
  log: Access[];
}

async function course(name: string, workers: number, durationSeconds: number): Promise<Course> {
  const stop = new AbortController();
  const running = new Set<string>();
  const { resourceVersion } = await client.list(pods, { namespace });
  const allRun = (async () => {
    const scope = { namespace, labelSelector: `${loadTestLabel}=${name}`, resourceVersion, signal: stop.signal };
    for await (const { object } of client.watch<Pod>(pods, scope)) {
      if (object.status?.containerStatuses?.[0]?.state?.running) running.add(object.metadata.uid);
      if (running.size === workers) return Date.now();
    }
    return Number.NaN;
  })();
  const judged = (async () => {
    const scope = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion, signal: stop.signal };
    for await (const { object } of client.watch(loadtests, scope)) {
      const { conditions = [] } = (object as unknown as LoadTest).status ?? {};
      if (conditions.some(({ type, status }) => type === "Complete" && status === "True")) return Date.now();
    }
    return Number.NaN;
  })();
  const spec = {
    service: "my-service",
    scheme: "http",
    requestsPerSecond: 1000,
    paths: [`/index.html?${name}`],
    duration: `${durationSeconds}s`,
    workers,
  };
  const createdAtMs = Date.now();
  const manifest = { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata: { name, namespace }, spec };
  await client.create(loadtests, manifest as never);
  const [runningAtMs, judgedAtMs] = await Promise.all([allRun, judged]);
  stop.abort();
  const requests = await requestCounts(client);
  const asked = (await accessLog(namespace, `${durationSeconds + 20}s`)).filter(({ path }) =>
    path.endsWith(`?${name}`),
  );
  const [_preflight, ...log] = asked;
  return { createdAtMs, runningAtMs, judgedAtMs, requests, log };
}

/** How far apart the workers' first requests were, beyond the millisecond that the schedule asks for. */
function skewMs(log: readonly Access[]): number {
  const firsts = new Map<string, number>();
  for (const { address, atSeconds } of log) firsts.set(address, Math.min(firsts.get(address) ?? Infinity, atSeconds));
  return Math.round(1000 * (Math.max(...firsts.values()) - Math.min(...firsts.values())));
}

const firstAtMs = ({ log }: Course) => 1000 * Math.min(...log.map(({ atSeconds }) => atSeconds));
const seconds = (ms: number) => (ms / 1000).toFixed(2);

try {
  await installKinds();
  await installController();
  await startNginx(namespace);
  await course("warm-up", 1, 1);
  console.log(`bare Pod: its program runs after ${seconds(await bareStartMs(client, namespace, "bare-0"))} s`);
  console.log(
    "| workers | all Running s | first request s | after all Running s | skew ms |\n| --- | --- | --- | --- | --- |",
  );
  for (let run = 0; run < runs; run++) {
    const bareMs = await bareStartMs(client, namespace, `bare-${run + 1}`);
    console.log(`| bare Pod | runs after ${seconds(bareMs)} | | | |`);
    for (const workers of [1, 4, 8]) {
      const one = await course(`start-${workers}-${run}`, workers, 3);
      const first = firstAtMs(one);
      const runningMs = one.runningAtMs - one.createdAtMs;
      const figures = [seconds(runningMs), seconds(first - one.createdAtMs), seconds(first - one.runningAtMs)];
      console.log(`| ${workers} | ${figures.join(" | ")} | ${skewMs(one.log)} |`);
    }
  }
  for (let run = 0; run < runs; run++) {
    await Bun.sleep(5000);
    const before = await requestCounts(client);
    const one = await course(`cost-${run}`, 4, 10);
    const rested = await requestCounts(client);
    await Bun.sleep(idleSeconds * 1000);
    const idle = difference(rested, await requestCounts(client));
    const lastAtMs = 1000 * Math.max(...one.log.map(({ atSeconds }) => atSeconds));
    console.log(`\nverdict ${seconds(one.judgedAtMs - lastAtMs)} s after the last response\n`);
    console.log(tableOfRequests(difference(before, one.requests), idle, (one.judgedAtMs - one.createdAtMs) / 1000));
  }
} finally {
  await removeExtension(namespace);
}
