import { expect, test } from "bun:test";
import fc from "fast-check";
import { WorkQueue } from "../../lib/controller/work-queue.ts";

/** Work whose end the test decides. */
class Bench {
  readonly begun: string[] = [];
  readonly failed: string[] = [];
  calms = 0;
  readonly #ends: Map<string, { resolve: (delayMs?: number) => void; reject: (error: Error) => void }[]> = new Map();
  readonly queue: WorkQueue;

  constructor(width = 10) {
    this.queue = new WorkQueue({
      work: (key) =>
        new Promise((resolve, reject) => {
          this.begun.push(key);
          this.#ends.set(key, [...(this.#ends.get(key) ?? []), { resolve, reject }]);
        }),
      failed: (key) => this.failed.push(key),
      width,
      calmed: () => this.calms++,
      random: () => 0,
    });
  }

  async end(key: string, delayMs?: number): Promise<void> {
    this.#ends.get(key)?.shift()?.resolve(delayMs);
    await Bun.sleep(0);
  }

  async fail(key: string): Promise<void> {
    this.#ends.get(key)?.shift()?.reject(new Error("no"));
    await Bun.sleep(0);
  }
}

test("a key that rings often while it waits is worked on once", async () => {
  const bench = new Bench(1);
  for (const key of ["a", "b", "b", "b"]) bench.queue.ring(key);
  expect(bench.begun).toEqual(["a"]);
  await bench.end("a");
  expect(bench.begun).toEqual(["a", "b"]);
  await bench.end("b");
  expect(bench.begun).toEqual(["a", "b"]);
  expect(bench.queue.size).toBe(0);
});

test("a key that rings while it is worked on is worked on once more, after that", async () => {
  const bench = new Bench();
  bench.queue.ring("a");
  bench.queue.ring("a");
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["a"]);
  await bench.end("a");
  expect(bench.begun).toEqual(["a", "a"]);
  await bench.end("a");
  expect(bench.begun).toEqual(["a", "a"]);
});

test("urgent keys have a lane of their own, and while there are any few others are worked on", async () => {
  const bench = new Bench(3);
  for (const key of ["a", "b", "c", "d", "e"]) bench.queue.ring(key);
  for (const key of ["u", "v"]) bench.queue.ring(key, { lane: "urgent" });
  expect(bench.begun).toEqual(["a", "b", "c", "u", "v"]);
  expect(bench.queue.isPressed).toBe(true);
  await bench.end("a"); // two others are left
  expect(bench.begun).toHaveLength(5);
  await bench.end("b");
  expect(bench.begun.slice(5)).toEqual(["d"]);
  for (const key of ["u", "v", "c"]) await bench.end(key);
  expect(bench.begun.slice(6)).toEqual(["e"]);
});

test("what follows for an urgent key waits until no other has come for a moment", async () => {
  const bench = new Bench();
  for (const key of ["u", "v"]) bench.queue.ring(key, { lane: "urgent" });
  bench.queue.ring("u");
  await bench.end("u"); // its ring during its work is what follows
  await bench.end("v");
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["u", "v", "a"]);
  expect([bench.queue.isPressed, bench.calms]).toEqual([true, 0]);
  while (bench.calms === 0) await Bun.sleep(5);
  expect(bench.queue.isPressed).toBe(false);
  expect(bench.begun).toEqual(["u", "v", "a", "u"]);
  await bench.end("u");
  expect(bench.queue.size).toBe(1);
});

test("work that hangs holds up no other key", async () => {
  const bench = new Bench();
  for (const key of ["hung", "a", "b"]) bench.queue.ring(key);
  await bench.end("a");
  await bench.end("b");
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["hung", "a", "b", "a"]);
});

test("no more keys than its width are worked on at once, and all in the end", async () => {
  const bench = new Bench(2);
  for (const key of ["a", "b", "c", "d"]) bench.queue.ring(key);
  expect(bench.begun).toEqual(["a", "b"]);
  for (const key of ["a", "b", "c", "d"]) await bench.end(key);
  expect(bench.begun).toEqual(["a", "b", "c", "d"]);
});

test("a key whose work fails is tried again by itself, and rings do not hurry it", async () => {
  const bench = new Bench();
  bench.queue.ring("a");
  await bench.fail("a");
  expect(bench.failed).toEqual(["a"]);
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["a"]);
  while (bench.begun.length < 2) await Bun.sleep(20);
  await bench.end("a");
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["a", "a", "a"]);
});

test("a key that wants to be looked at again is, and sooner when it rings", async () => {
  const bench = new Bench();
  bench.queue.ring("a");
  await bench.end("a", 10);
  while (bench.begun.length < 2) await Bun.sleep(5);
  await bench.end("a", 3_600_000);
  bench.queue.ring("a");
  expect(bench.begun.length).toBe(3);
  await bench.queue.stop;
});

test("a key that is to be looked at later is, but for one that is known here", async () => {
  const bench = new Bench();
  bench.queue.ring("busy");
  for (const key of ["later", "later", "busy"]) bench.queue.ringLater(key, 10);
  expect(bench.begun).toEqual(["busy"]);
  await Bun.sleep(30);
  expect(bench.begun).toEqual(["busy", "later"]);
});

test("a key that wants to be looked at in months is not before", async () => {
  const bench = new Bench();
  bench.queue.ring("a");
  await bench.end("a", 2 ** 31);
  await Bun.sleep(20);
  expect(bench.begun).toEqual(["a"]);
  await bench.queue.stop();
});

test("those that leave time to gather are worked on together, and whoever does not ends the wait", async () => {
  const bench = new Bench();
  for (let ring = 0; ring < 3; ring++) bench.queue.ring("a", { gatherMs: 20 });
  expect(bench.begun).toEqual([]);
  while (bench.begun.length < 1) await Bun.sleep(5);
  bench.queue.ring("a", { gatherMs: 3_600_000 });
  bench.queue.ring("a", { gatherMs: 20 });
  await bench.end("a");
  expect(bench.begun).toEqual(["a"]);
  while (bench.begun.length < 2) await Bun.sleep(5);
  await bench.end("a");
  bench.queue.ring("a", { gatherMs: 3_600_000 });
  bench.queue.ring("a");
  expect(bench.begun).toEqual(["a", "a", "a"]);
  await bench.end("a");
  bench.queue.ring("a", { gatherMs: 3_600_000 });
  const stopped = bench.queue.stop();
  await stopped;
  expect(bench.begun).toEqual(["a", "a", "a"]);
});

test("stop() waits for what is under way, and begins nothing more", async () => {
  const bench = new Bench(1);
  bench.queue.ring("a");
  bench.queue.ring("b");
  let isStopped = false;
  const stopping = bench.queue.stop().then(() => {
    isStopped = true;
  });
  await Bun.sleep(10);
  expect(isStopped).toBe(false);
  await bench.end("a");
  await stopping;
  bench.queue.ring("c");
  expect(bench.begun).toEqual(["a"]);
});

test("whatever rings, fails and ends, no key is ever worked on twice at once, and every ring is followed by work", async () => {
  const event = fc.record({ key: fc.constantFrom("a", "b", "c", "d"), delay: fc.nat(3), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (events, width) => {
      const active = new Set<string>();
      const startedAfterRing = new Map<string, boolean>();
      let plan = [...events];
      const queue = new WorkQueue({
        work: async (key) => {
          expect(active.has(key)).toBe(false);
          expect(active.size).toBeLessThan(width);
          active.add(key);
          startedAfterRing.set(key, true);
          const next = plan.shift();
          await Bun.sleep(next?.delay ?? 0);
          active.delete(key);
          return undefined;
        },
        failed: () => {},
        width,
        random: () => 0,
      });
      for (const { key, delay } of events) {
        startedAfterRing.set(key, false);
        queue.ring(key);
        if (delay === 0) await Bun.sleep(0);
      }
      plan = [];
      while (queue.size > 0) await Bun.sleep(1);
      expect([...startedAfterRing.values()].every(Boolean)).toBe(true);
    }),
    { numRuns: 50 },
  );
});
