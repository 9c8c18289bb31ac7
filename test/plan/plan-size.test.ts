import { describe, expect, test } from "bun:test";
import { Cluster, conditionIn, loadTest, planOf } from "./cluster.ts";

function begun(spec = {}): Cluster {
  const cluster = new Cluster(loadTest({ workers: 2, ...spec }));
  cluster.converge();
  return cluster;
}

describe("a plan that would outgrow the annotations of a Pod", () => {
  const order = (edition: number, length: number) => ({
    requests: [{ path: "/order", method: "POST" as const, body: `${edition}`.padEnd(length, "x") }],
  });

  test("keeps only the requests that are wanted, and replaces the workers", () => {
    const cluster = begun(order(0, 32_000));
    for (let edition = 1; edition <= 9; edition++) {
      cluster.edit({ ...order(edition, 32_000), requestsPerSecond: 100 + edition });
      cluster.converge();
      const plans = cluster.live.map(planOf);
      expect(plans.map(({ changes }) => changes?.at(-1)?.requestsPerSecond)).toEqual(Array(2).fill(100 + edition));
      expect(plans.map(({ requests }) => requests.at(-1)?.body?.[0])).toEqual(Array(2).fill(`${edition}`));
    }
    expect(cluster.pods.length).toBe(4);
  });

  test("forgets the oldest changes", () => {
    const ramps = (edition: number) => ({
      stages: Array.from({ length: 64 }, (_, at) => ({
        duration: "61s",
        requestsPerSecond: 1000 + ((edition + at) % 7),
      })),
    });
    const cluster = begun(ramps(0));
    const uids = () => cluster.pods.map(({ metadata }) => metadata.uid);
    const before = uids();
    for (let edition = 1; edition <= 80; edition++) {
      cluster.edit(ramps(edition));
      cluster.converge();
    }
    expect(uids()).toEqual(before);
    expect(planOf(cluster.pods[0] as never).changes?.at(-1)?.stages?.[0]?.requestsPerSecond).toBe(1000 + (80 % 7));
  });

  test("leaves room for the user's own annotations", () => {
    const annotations = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`a${at}`, "€".repeat(1024)]));
    const body = (letter: string) => ({
      requests: [{ path: "/", method: "POST" as const, body: letter.repeat(30_000) }],
      podTemplate: { annotations },
    });
    const cluster = begun(body("é"));
    for (const letter of ["ü", "ö"]) {
      cluster.edit(body(letter));
      cluster.converge();
      expect(cluster.live.map((pod) => planOf(pod).requests.at(-1)?.body?.[0])).toEqual([letter, letter]);
    }
  });

  test("with what is wanted alone is refused", () => {
    const annotations = Object.fromEntries(Array.from({ length: 32 }, (_, at) => [`a${at}`, "€".repeat(1024)]));
    const requests = [{ path: "/", method: "POST" as const, body: "\u0001".repeat(32_000) }];
    const cluster = begun({ requests, podTemplate: { annotations } });
    expect(cluster.pods).toEqual([]);
    expect(conditionIn(cluster.test, "Accepted")).toMatchObject({
      status: "False",
      reason: "PlanTooLarge",
      message: expect.stringMatching(/^spec\.requests: .* 29\d{4} bytes .*, must be at most 245760$/) as never,
    });
  });
});
