import { describe, expect, test } from "bun:test";
import { observe } from "../../lib/controller/observe.ts";
import { ApiError } from "../../lib/kube/api-error.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import { connectionError } from "../../lib/kube/connection-error.ts";
import type { ObjectKey, Resource } from "../../lib/kube/resource.ts";
import { Cluster, loadTest, options } from "../plan/cluster.ts";

type Answer = "yes" | Error;

/** What a look at the LoadTest asks for beside itself and its Pods, and shows. */
async function look(cluster: Cluster, answerToTrial: Answer = "yes") {
  const asked: string[] = [];
  const warned: string[] = [];
  const get = async ({ plural }: Resource, { name }: ObjectKey): Promise<unknown> => {
    if (plural === "loadtests") return cluster.test;
    asked.push(`${plural} ${name}`);
    const found = plural === "services" ? cluster.services.get(`ns/${name}`) : undefined;
    if (found) return found;
    throw refusal(404, "not found");
  };
  const list = async () => ({ items: cluster.pods, resourceVersion: "1" });
  const create = async () => {
    asked.push("trial");
    if (answerToTrial !== "yes") throw answerToTrial;
  };
  const client = { get, list, create } as unknown as KubeClient;
  const log = { warn: (_: object, words: string) => warned.push(words) } as never;
  const world = await observe(client, { namespace: "ns", name: "lt" }, options, log);
  return { asked, warned, world };
}

function refusal(code: number, message: string): ApiError {
  const body = JSON.stringify({ kind: "Status", message });
  return new ApiError({ method: "POST", path: "/pods", code, body, retryAfter: null });
}

const hung = connectionError({ method: "POST", path: "/pods" }, "https://api", "timeout");
const labeled = { podTemplate: { labels: { a: "b" } } };

function begun(spec: Parameters<typeof loadTest>[0] = {}): Cluster {
  const cluster = new Cluster(loadTest({ workers: 2, ...spec }));
  cluster.converge();
  return cluster;
}

describe("the Service of workers at work", () => {
  test("is asked for while they are to send where they do not yet, and not otherwise", async () => {
    const cluster = begun();
    expect((await look(cluster)).asked).toEqual([]);
    cluster.edit({ service: "other" });
    for (let pass = 0; pass < 3; pass++) {
      const { asked, world } = await look(cluster);
      expect(asked).toEqual(["services other"]);
      expect([...world.services]).toEqual([["ns/other", null]]);
    }
    cluster.edit({ service: "web", port: 444 });
    expect((await look(cluster)).asked).toEqual(["services web"]);
    cluster.edit({ port: 443, requestsPerSecond: 9 });
    expect((await look(cluster)).asked).toEqual([]);
  });
});

describe("a Pod is tried", () => {
  test("when one may be made unlike those that there are, until they are replaced", async () => {
    const cluster = begun();
    cluster.edit(labeled);
    const said = "no PriorityClass with name none was found";
    const { asked, world } = await look(cluster, refusal(403, said));
    expect(asked).toEqual(["services web", "trial"]);
    expect(world.podRefusals?.get("u1")).toBe(said);
    cluster.converge();
    expect((await look(cluster)).asked).toEqual([]);
    cluster.pods = cluster.live.slice(1);
    expect((await look(cluster)).asked).toEqual(["services web", "trial"]);
  });

  test("not while it would have no Service to aim at", async () => {
    const cluster = begun();
    cluster.edit({ ...labeled, service: "other" });
    expect((await look(cluster)).asked).toEqual(["services other"]);
  });

  test("not to replace a worker that has failed in one like it, nor when all has ended", async () => {
    const cluster = begun(labeled);
    for (const phase of ["Failed", "Succeeded"] as const) {
      cluster.end(cluster.live[0] as never, phase);
      expect((await look(cluster)).asked).toEqual(["services web"]);
    }
  });

  test("not by a run that is to stop", async () => {
    const cluster = begun();
    cluster.pods.pop();
    cluster.edit({ ...labeled, state: "Stopped" });
    expect((await look(cluster, hung)).asked).not.toContain("trial");
  });

  test.each([
    ["no answer", hung, null],
    ["a webhook that does not answer", refusal(500, "failed calling webhook: context deadline exceeded"), null],
    ["too many requests", refusal(429, "slow down"), null],
    ["room in a quota", refusal(403, "exceeded quota: few"), undefined],
    ["a webhook that knows no dry run", refusal(400, "does not support dry run"), undefined],
  ])("and %s is no refusal: the rest of the look is made", async (_, answer, words) => {
    const cluster = begun(labeled);
    cluster.pods.pop();
    const { world, warned } = await look(cluster, answer);
    expect(world.podRefusals?.get("u1")).toBe(words as never);
    expect(world.pods.length).toBe(1);
    expect(warned.length).toBe(words === null ? 1 : 0);
  });
});

describe("what is read at different instants", () => {
  const key = { namespace: "ns", name: "lt" };
  const silent = {} as never;

  test("Pods are listed after the LoadTest has been read, so that none of which it tells is missing", async () => {
    const cluster = begun();
    let isRead = false;
    const get = async () => {
      await Bun.sleep(5);
      isRead = true;
      return cluster.test;
    };
    const list = async () => ({ items: isRead ? cluster.pods : [], resourceVersion: "1" });
    const world = await observe({ get, list } as unknown as KubeClient, key, options, silent);
    expect(world.pods.length).toBe(2);
  });

  test.each([
    ["that has come meanwhile", true],
    ["that is gone", false],
  ])("Pods of a LoadTest %s", async (_, hasCome) => {
    const cluster = begun();
    let looks = 0;
    const get = async () => {
      if (looks++ > 0 && hasCome) return cluster.test;
      throw refusal(404, "not found");
    };
    const list = async () => ({ items: cluster.pods, resourceVersion: "1" });
    const { goneOwners } = await observe({ get, list } as unknown as KubeClient, key, options, silent);
    expect([...goneOwners]).toEqual(hasCome ? [] : ["u1"]);
  });
});
