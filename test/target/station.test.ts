import { expect, test } from "bun:test";
import fc from "fast-check";
import { Station } from "../../lib/target/station.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok, start, stopAll } from "./running-target.ts";

/** Servers one by one: each request goes to the one that is free first. */
function departures(arrivalsNs: readonly number[], serviceNs: number, servers: number): number[] {
  const freeAtNs = Array<number>(servers).fill(0);
  return arrivalsNs.map((arrivedAtNs) => {
    const server = freeAtNs.indexOf(Math.min(...freeAtNs));
    freeAtNs[server] = Math.max(arrivedAtNs, freeAtNs[server] as number) + serviceNs;
    return freeAtNs[server];
  });
}

test("requests leave when a queue in front of so many servers lets them, and in order", () => {
  const gaps = fc.array(fc.nat(100), { maxLength: 100 });
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 12 }),
      (gapsNs, serviceNs, servers) => {
        let nowNs = 0;
        const arrivalsNs = gapsNs.map((gapNs) => (nowNs += gapNs));
        const station = new Station(serviceNs, servers);
        const leaving = arrivalsNs.map((arrivedAtNs) => station.departureNs(arrivedAtNs));
        expect(leaving).toEqual(departures(arrivalsNs, serviceNs, servers));
        expect(leaving).toEqual(leaving.toSorted((a, b) => a - b));
      },
    ),
  );
});

test("with a backlog exactly `servers` requests leave in each service time, for any number of them", () => {
  const station = new Station(1e6, 3);
  let last = 0;
  for (let i = 0; i < 3_000_000; i++) last = station.departureNs(12_345);
  expect(last).toBe(12_345 + 1_000_000 * 1e6);
});

test("without a bound on the servers nothing queues", () => {
  const station = new Station(1000, Number.POSITIVE_INFINITY);
  expect([0, 0, 5].map((arrivedAtNs) => station.departureNs(arrivedAtNs))).toEqual([1000, 1000, 1005]);
});

test("requests of all connections share the servers, and none is served before its time", async () => {
  for (const servers of [1, 4]) {
    const target = start({ serviceNs: 1e6, servers });
    const clients = await Promise.all([1, 2].map(() => RawClient.connect(target.url)));
    const startedAtNs = Bun.nanoseconds();
    for (const client of clients) client.send(get("/").repeat(40));
    for (const client of clients) expect(await client.receive(isBytes(40 * ok.length))).toBe(ok.repeat(40));
    expect(Bun.nanoseconds() - startedAtNs).toBeGreaterThanOrEqual((80 / servers) * 1e6);
    stopAll();
  }
});
