import { expect, test } from "bun:test";
import { ApiError } from "../../lib/kube/api-error.ts";
import type { KubeClient, WatchEvent, WatchOptions } from "../../lib/kube/client.ts";
import { ConnectionError } from "../../lib/kube/connection-error.ts";
import { Doorbell } from "../../lib/kube/doorbell.ts";
import { pods } from "../../lib/kube/resource.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { createLog } from "../../lib/runtime/log.ts";

type Stream = (signal: AbortSignal) => AsyncGenerator<WatchEvent<Pod>>;

/** A bell whose streams are these, one after the other, and then one without end; `seen` is what it does. */
function bellOn(...streams: Stream[]) {
  const seen: string[] = [];
  const stop = new AbortController();
  const last = Promise.withResolvers<void>();
  const client = {
    watch: (_: unknown, { resourceVersion, signal }: WatchOptions) => {
      seen.push(`watch ${resourceVersion}`);
      const stream = streams.shift();
      if (stream === undefined) last.resolve();
      return (stream ?? endless)(signal);
    },
  } as unknown as KubeClient;
  const bell = new Doorbell<Pod>({
    client,
    resource: pods,
    lookAtAll: async () => {
      seen.push("look");
      return "1";
    },
    heard: ({ metadata }, type) => seen.push(`${type} ${metadata.name}`),
    counters: { events: { inc: () => {} }, watchesBroken: { inc: () => seen.push("broken") } },
    log: createLog("test", "error"),
  });
  const running = bell.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  return { bell, seen, last: last.promise, end };
}

async function* endless(signal: AbortSignal): AsyncGenerator<WatchEvent<Pod>> {
  await new Promise((_, reject) => signal.addEventListener("abort", reject));
  yield event("ADDED", "never", "0");
}

function event(type: WatchEvent<Pod>["type"], name: string, resourceVersion: string): WatchEvent<Pod> {
  return { type, object: { metadata: { name, resourceVersion } } as WatchEvent<Pod>["object"] };
}

test("a stream that ends is followed by another one from where it was, and nothing is broken", async () => {
  const { bell, seen, last, end } = bellOn(async function* () {
    yield event("ADDED", "a", "5");
    yield event("BOOKMARK", "", "9");
  });
  await Bun.sleep(10);
  expect(bell.isAlive).toBe(true);
  await last;
  expect(bell.isAlive).toBe(true);
  await end();
  expect(seen).toEqual(["look", "watch 1", "ADDED a", "watch 9"]);
});

test("a stream that breaks counts, and is no life until another one is open", async () => {
  const { bell, seen, last, end } = bellOn(async function* () {
    yield event("ADDED", "a", "5");
    throw new ConnectionError("cut", "reset", false);
  });
  await Bun.sleep(10);
  expect(bell.isAlive).toBe(false);
  await last;
  expect(bell.isAlive).toBe(true);
  await end();
  expect(seen).toEqual(["look", "watch 1", "ADDED a", "broken", "watch 5"]);
});

test("a version that is too old asks for a new look", async () => {
  const gone = { method: "GET", path: "/pods", code: 410, body: "", retryAfter: null };
  const { seen, last, end } = bellOn(async function* () {
    yield event("ADDED", "a", "5");
    throw new ApiError(gone);
  });
  await last;
  await end();
  expect(seen).toEqual(["look", "watch 1", "ADDED a", "broken", "look", "watch 1"]);
});
