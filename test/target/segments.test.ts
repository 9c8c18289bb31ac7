import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { cutOffsets } from "../../lib/target/segments.ts";
import { RawClient } from "./raw-client.ts";
import { get, isBytes, ok, start, stopAll } from "./running-target.ts";

afterEach(stopAll);

test("cuts rise and lie within the response", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), fc.nat(), (headBytes, bodyBytes, index) => {
      const length = headBytes + bodyBytes;
      const cuts = cutOffsets(length, headBytes, index);
      for (const [i, cut] of cuts.entries()) {
        expect(cut).toBeGreaterThan(cuts[i - 1] ?? 0);
        expect(cut).toBeLessThan(length);
      }
    }),
  );
});

test("every eighth response is cut into bytes through its head, and the others vary at its beginning and end", () => {
  expect(cutOffsets(1000, 4, 8)).toEqual(Array.from({ length: 36 }, (_, before) => before + 1));
  expect(cutOffsets(1000, 60, 1)).toEqual([2, 999]);
  expect(cutOffsets(1000, 60, 2)).toEqual([3, 998]);
  expect(cutOffsets(1000, 60, 91)).toEqual([92, 997]);
});

test("a split response comes in pieces, whole and in order", async () => {
  const client = await RawClient.connect(start({ isSplit: true }).url);
  client.send(get("/a") + get("/b").replace("GET", "HEAD") + get("/c"));
  const all = ok + ok.slice(0, -3) + ok;
  expect(await client.receive(isBytes(all.length))).toBe(all);
  expect(client.pieces.length).toBeGreaterThan(8);
});

test("a client that leaves in the middle of a split response disturbs nobody", async () => {
  const target = start({ isSplit: true });
  const [leaver, stayer] = await Promise.all([RawClient.connect(target.url), RawClient.connect(target.url)]);
  leaver.send(get("/"));
  await leaver.receive(isBytes(5));
  leaver.close();
  stayer.send(get("/").repeat(3));
  expect(await stayer.receive(isBytes(3 * ok.length))).toBe(ok.repeat(3));
});
