// What a controller asks of the API server when there is nothing to do: with admission, its certificate and the Lease.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { controllerPods, installExtension, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl } from "./kubectl.ts";

const windowSeconds = 120;
const callsPerMinuteMaximum = 10;

/** The samples of a metric of a controller: labels → value. */
async function samples(ip: string, metric: string): Promise<Map<string, number>> {
  const text = await (await fetch(`http://${ip}:8080/metrics`)).text();
  const lines = [...text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, "gm"))];
  return new Map(lines.map(([, labels = "", value]) => [labels, Number(value)]));
}

describe.skipIf(kubeconfig === "")("a controller at rest", () => {
  beforeAll(async () => {
    await installExtension();
  }, 180_000);
  afterAll(removeExtension, 120_000);

  test(`each replica asks ${callsPerMinuteMaximum} times a minute at most, Leases aside, and no watch breaks`, async () => {
    const reason = 'jsonpath={.status.conditions[?(@.type=="ServingCertificateReady")].reason}';
    const condition = () => kubectl(["get", "service", "loadtest", "-n", "loadtest-system", "-o", reason]);
    await eventually(condition, (word) => word === "Valid");
    const ips = (await controllerPods()).map(({ ip }) => ip);
    expect(ips).toHaveLength(2);
    await Bun.sleep(5000); // the echo of the last writes
    const before = await Promise.all(ips.map((ip) => samples(ip, "loadtest_api_calls")));
    const brokenBefore = await Promise.all(ips.map((ip) => samples(ip, "loadtest_watches_broken_total")));
    await Bun.sleep(windowSeconds * 1000);
    for (const [index, ip] of ips.entries()) {
      const after = await samples(ip, "loadtest_api_calls");
      const calls = [...after].map(([labels, count]) => [labels, count - (before[index]?.get(labels) ?? 0)] as const);
      const told = calls.filter(([labels, count]) => count > 0 && !labels.includes('"leases"'));
      console.log(ip, told.map(([labels, count]) => `${labels}: ${count}`).join("; "));
      const total = told.reduce((sum, [, count]) => sum + count, 0);
      expect(total).toBeLessThanOrEqual((callsPerMinuteMaximum * windowSeconds) / 60);
      expect(await samples(ip, "loadtest_watches_broken_total")).toEqual(brokenBefore[index] as never);
    }
  }, 240_000);
});
