import { describe, expect, test } from "bun:test";
import type { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { nextLookMs } from "../../lib/plan/next-look.ts";
import type { Observed, Service } from "../../lib/plan/objects.ts";
import { needsAttention, plan } from "../../lib/plan/plan.ts";
import type { World } from "../../lib/plan/world.ts";
import { Cluster, conditionIn, created, kinds, loadTest, options, planOf, service } from "./cluster.ts";

function begun(spec: Partial<LoadTestSpec> = {}): Cluster {
  const cluster = new Cluster(loadTest({ workers: 2, ...spec }));
  cluster.converge();
  return cluster;
}

const targets = ({ live }: Cluster) =>
  live.map((pod) => planOf(pod).backends.flatMap(({ percent, origin }) => (percent > 0 ? [origin] : [])));
const rates = ({ live }: Cluster) => live.map((pod) => planOf(pod).changes?.at(-1)?.requestsPerSecond);
const attention = ({ test, pods, nowMs }: Cluster) => needsAttention(test, pods, options, nowMs);
const lookMs = (cluster: Cluster) => nextLookMs(cluster.world(), options, cluster.nowMs);
const external = { ...service, spec: { type: "ExternalName" } } as Observed<Service>;

describe("workers that are to send elsewhere", () => {
  test.each<[reason: string, edit: Partial<LoadTestSpec>, name: string, found: Observed<Service> | null]>([
    ["TargetNotAllowed", { service: "other" }, "ns/other", external],
    ["ServiceNotFound", { service: "other" }, "ns/other", null],
    ["PortNotFound", { service: "other", scheme: "http", port: 81 }, "ns/other", service],
    ["PortNotFound", { port: 444 }, "ns/web", service],
  ])("go on as they were told, at other rates, while it is %s by %j", (reason, edit, name, found) => {
    const cluster = begun();
    const former = targets(cluster);
    cluster.edit({ ...edit, requestsPerSecond: 600 });
    cluster.services.set(name, found);
    cluster.converge();
    expect(targets(cluster)).toEqual(former);
    expect(rates(cluster)).toEqual([600, 600]);
    expect(conditionIn(cluster.test, "Accepted")).toMatchObject({ status: "False", reason });
    expect(attention(cluster)).toBe(true);
    expect(lookMs(cluster)).toBe(2000);

    const { scheme, port = scheme === "https" ? 443 : 80, service: host } = cluster.test.spec;
    cluster.services.set(name, { ...service, spec: { ports: [{ port }] } } as Observed<Service>);
    cluster.converge();
    const origin = { scheme, host: `${host}.ns.svc`, port };
    expect(targets(cluster)).toEqual([[origin], [origin]]);
    expect(conditionIn(cluster.test, "Accepted")?.status).toBe("True");
    expect(lookMs(cluster)).toBe(5000);
  });

  test("hear nothing of it in a pass that has not looked for its Service", () => {
    const cluster = begun({ workers: 1 });
    const former = targets(cluster);
    cluster.edit({ service: "other" });
    cluster.pass();
    expect(targets(cluster)).toEqual(former);
  });

  test("and have not begun are looked at, though nothing of them has changed", () => {
    const cluster = new Cluster(loadTest());
    cluster.pass();
    expect(attention(cluster)).toBe(true); // its status is to say that there is a Pod
    cluster.pass();
    expect(attention(cluster)).toBe(false);
    cluster.edit({ service: "other" });
    cluster.services.set("ns/other", external);
    cluster.pass();
    expect(attention(cluster)).toBe(true);
    expect(lookMs(cluster)).toBe(2000);
  });

  test("and have been sent back do not count as sending there", () => {
    const cluster = begun({ workers: 1 });
    const former = targets(cluster);
    cluster.services.set("ns/other", service);
    for (const name of ["other", "web"]) {
      cluster.edit({ service: name });
      cluster.converge();
    }
    cluster.services.set("ns/other", external);
    cluster.edit({ service: "other" });
    cluster.converge();
    expect(targets(cluster)).toEqual(former);
  });

  test("are not waited for once they have ended", () => {
    const cluster = begun({ workers: 1 });
    for (let attempt = 0; attempt < 5; attempt++) {
      for (const pod of cluster.live) cluster.end(pod, "Failed");
      cluster.nowMs += 100_000;
      cluster.converge();
    }
    cluster.edit({ service: "other" });
    cluster.pass();
    expect([attention(cluster), lookMs(cluster)]).toEqual([false, undefined]);
  });
});

describe("workers that are to get other Pods", () => {
  const labeled = { podTemplate: { labels: { a: "b" } } };
  const passOf = (cluster: Cluster, seen: Partial<World>) => {
    const actions = plan({ ...cluster.world(), ...seen }, options, cluster.nowMs);
    cluster.apply(actions);
    cluster.settle();
    return actions;
  };

  test.each<[why: string, seen: Partial<World>, reason: string]>([
    ["are refused", { podRefusals: new Map([["u1", "no such class"]]) }, "PodTemplateInvalid"],
    ["could not be tried", { podRefusals: new Map([["u1", null]]) }, "Valid"],
    ["would have no Service to aim at", { services: new Map([["ns/web", null]]) }, "ServiceNotFound"],
    ["were not looked at", { services: new Map() }, "Valid"],
  ])("that %s go on in theirs, at other rates", (_, seen, reason) => {
    const cluster = begun();
    const former = cluster.pods.map(({ metadata }) => metadata.uid);
    cluster.edit({ ...labeled, requestsPerSecond: 600, paths: ["/other"] });
    for (let pass = 0; pass < 3; pass++) passOf(cluster, seen);
    expect(cluster.live.map(({ metadata }) => metadata.uid)).toEqual(former);
    expect(rates(cluster)).toEqual([600, 600]);
    expect(conditionIn(cluster.test, "Accepted")?.reason).toBe(reason);
    expect(attention(cluster)).toBe(true);
    expect(lookMs(cluster)).toBe(2000);
    cluster.converge();
    expect(cluster.live.map(({ metadata }) => metadata.labels?.["a"])).toEqual(["b", "b"]);
  });

  test("are ended and told their share all the same", () => {
    const refused = { podRefusals: new Map([["u1", "no such class"]]) };
    const cluster = begun({ workers: 3 });
    cluster.edit({ ...labeled, workers: 1 });
    for (let pass = 0; pass < 3; pass++) passOf(cluster, refused);
    expect(cluster.live.map((pod) => planOf(pod).worker)).toEqual([{ index: 0, count: 1 }]);
    cluster.edit({ state: "Stopped" });
    passOf(cluster, refused);
    expect(cluster.live).toEqual([]);
  });

  test("of which one has gone get none as long as it is not known what the API server says of them", () => {
    const cluster = begun(labeled);
    cluster.pods.pop();
    expect(created(passOf(cluster, { podRefusals: new Map([["u1", null]]) }))).toEqual([]);
    expect(lookMs(cluster)).toBe(2000);
    expect(kinds(passOf(cluster, {}))).toContain("createPod");
  });
});
