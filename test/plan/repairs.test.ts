import { expect, test } from "bun:test";
import { newsOf } from "../../lib/plan/news.ts";
import { repairsIn } from "../../lib/plan/repairs.ts";
import { Cluster, loadTest } from "./cluster.ts";

/** The Events about creations until nothing is left to do, and how many replacements count. */
function toldOf(cluster: Cluster): { reasons: string[]; replaced: number } {
  const told = { reasons: [] as string[], replaced: 0 };
  for (let second = 0; second < 30; second++) {
    cluster.settle();
    const before = structuredClone(cluster.test);
    const done = cluster.pass();
    const creations = done.filter(({ kind }) => kind === "createPod");
    told.reasons.push(...newsOf(before, creations).map(({ type, reason }) => `${type} ${reason}`));
    told.replaced += repairsIn(done).replaced.length;
    cluster.nowMs += 1000;
  }
  return told;
}

function begun(workers: number): Cluster {
  const cluster = new Cluster(loadTest({ duration: "8h", workers }));
  expect(toldOf(cluster)).toEqual({ reasons: ["Normal WorkersCreated"], replaced: 0 });
  return cluster;
}

test.each([1, 2])("other Pods for an edit, and more of them, are no repair: %i workers", (workers) => {
  const cluster = begun(workers);
  cluster.edit({ podTemplate: { labels: { edition: "2" } } });
  expect(toldOf(cluster)).toEqual({ reasons: ["Normal WorkersCreated"], replaced: 0 });
  expect(cluster.pods.length).toBe(2 * workers);
  cluster.edit({ workers: workers + 1 });
  expect(toldOf(cluster)).toEqual({ reasons: ["Normal WorkersCreated"], replaced: 0 });
});

test.each([1, 2])("a worker whose Pod has failed or is gone is replaced, each once: %i workers", (workers) => {
  const cluster = begun(workers);
  cluster.end(cluster.pods[0] as never, "Failed");
  expect(toldOf(cluster)).toEqual({ reasons: ["Warning WorkerReplaced"], replaced: 1 });
  cluster.pods = cluster.pods.filter((pod) => pod !== cluster.live.at(-1) && pod.status?.phase !== "Failed");
  expect(toldOf(cluster)).toEqual({ reasons: ["Warning WorkerReplaced"], replaced: 1 });
});
