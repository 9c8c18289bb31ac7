import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onClusters } from "../../lib/fleet/clusters.ts";

const folder = mkdtempSync(join(tmpdir(), "clusters-"));
const calls: string[] = [];
const answering = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) => {
    calls.push(new URL(request.url).pathname);
    return Response.json({ gitVersion: "v1.34.4" });
  },
});
/** Accepts connections, and says nothing. */
const silent = createServer(() => undefined).listen(0, "127.0.0.1");
const silentPort = (silent.address() as { port: number }).port;
const kubeconfig = join(folder, "config");
writeFileSync(kubeconfig, kubeconfigOf({ a: answering.port as number, b: answering.port as number, mute: silentPort }));

function kubeconfigOf(ports: Record<string, number>): string {
  const names = Object.keys(ports);
  return JSON.stringify({
    clusters: names.map((name) => ({ name, cluster: { server: `http://127.0.0.1:${ports[name]}` } })),
    contexts: names.map((name) => ({ name, context: { cluster: name } })),
    "current-context": "a",
  });
}

afterAll(async () => {
  rmSync(folder, { recursive: true });
  silent.close();
  await answering.stop(true);
});

const stop = new AbortController().signal;

describe("onClusters()", () => {
  test("keeps the order of the contexts, and says why a cluster is missing", async () => {
    const options = { kubeconfig, contexts: ["mute", "b", "nowhere", "a"], deadlineMs: 3000, stop };
    const outcomes = await onClusters(options, async ({ version, context }) => `${context} ${version}`);
    expect(outcomes).toEqual([
      { context: "mute", error: "no answer within 3 s" },
      { context: "b", value: "b v1.34.4" },
      { context: "nowhere", error: expect.stringContaining('Cannot use context "nowhere"') },
      { context: "a", value: "a v1.34.4" },
    ]);
  });

  test("asks nothing more of a cluster whose time is over", async () => {
    let late = Promise.resolve("");
    const options = { kubeconfig, contexts: ["a"], deadlineMs: 100, stop };
    const [outcome] = await onClusters(options, ({ client }) => {
      late = Bun.sleep(200).then(() => client.raw("/late"));
      return late;
    });
    expect(outcome).toEqual({ context: "a", error: "no answer within 0.1 s" });
    await expect(late).rejects.toThrow("no answer within 0.1 s");
    expect(calls).not.toContain("/late");
  });

  test("without contexts asks the current one", async () => {
    const options = { kubeconfig, contexts: [], deadlineMs: 1000, stop };
    expect(await onClusters(options, async ({ version }) => version)).toEqual([
      { context: "current context", value: "v1.34.4" },
    ]);
  });

  test("ends when it is interrupted", async () => {
    const interrupt = new AbortController();
    const options = { kubeconfig, contexts: ["mute"], deadlineMs: 60_000, stop: interrupt.signal };
    const outcomes = onClusters(options, async () => 1);
    interrupt.abort();
    expect(await outcomes).toEqual([{ context: "mute", error: "interrupted" }]);
  });
});
