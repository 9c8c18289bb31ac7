import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { Announcer } from "../../lib/cert/announcer.ts";
import { ControllerMetrics } from "../../lib/controller/metrics.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import { watchCounters } from "../../lib/kube/watch-metrics.ts";
import { AdmissionMetrics } from "../../lib/webhook/metrics.ts";

const calls = new Map([
  ["list pods", 3],
  ["patch loadtests/status", 2],
]);

function registryOfController(): Registry {
  const registry = new Registry();
  new ControllerMetrics(
    registry,
    { calls, bytesSent: 1, bytesReceived: 2 },
    () => 4,
    () => true,
  );
  watchCounters(registry);
  new Announcer({} as KubeClient, "x", registry);
  new AdmissionMetrics(registry);
  return registry;
}

test("ARCHITECTURE.md lists the metrics, their labels and what they mean, as the code has them", () => {
  const metrics = registryOfController().getMetricsAsArray() as unknown as {
    name: string;
    help: string;
    labelNames: string[];
  }[];
  const rows = metrics.map(({ name, help, labelNames }) => {
    const labels = labelNames.length === 0 ? "" : `{${labelNames.join(", ")}}`;
    return `| \`${name}${labels}\` | ${help} |`;
  });
  const text = readFileSync(join(import.meta.dir, "../../ARCHITECTURE.md"), "utf8");
  expect(text.match(/^\| `loadtest_(?!worker_).*$/gm)).toEqual(rows as never);
});

test("calls are counted by verb and resource", async () => {
  const text = await registryOfController().metrics();
  expect(text).toContain('loadtest_api_calls{verb="list",resource="pods"} 3');
  expect(text).toContain('loadtest_api_calls{verb="patch",resource="loadtests/status"} 2');
});

test("alerts of OPERATIONS.md are about metrics that there are", async () => {
  const known = new Set(
    registryOfController()
      .getMetricsAsArray()
      .map(({ name }) => name),
  );
  const alerts = readFileSync(join(import.meta.dir, "../../OPERATIONS.md"), "utf8").matchAll(/\bloadtest_\w+/g);
  const names = [...alerts].map(([name]) => name);
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
