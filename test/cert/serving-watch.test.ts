import { expect, test } from "bun:test";
import { ServingWatch } from "../../lib/cert/serving-watch.ts";
import type { KubeClient, WatchEvent, WatchOptions } from "../../lib/kube/client.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { createLog } from "../../lib/runtime/log.ts";

const log = createLog("test", "error");
const counters = { events: { inc: () => {} }, watchesBroken: { inc: () => {} } };

/** Streams that bring what `happen` says, each to the watch that asked for the object of that name. */
function streams() {
  const listeners = new Map<string, (event: WatchEvent<KubeObject>) => void>();
  async function* watch(_: unknown, { fieldSelector = "", signal }: WatchOptions) {
    const events: WatchEvent<KubeObject>[] = [];
    let wake = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => wake.reject(new Error("stopped")));
    listeners.set(fieldSelector.replace("metadata.name=", ""), (event) => {
      events.push(event);
      wake.resolve();
    });
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      yield* events.splice(0);
    }
  }
  const happen = (name: string, resourceVersion: string) => {
    const metadata = { name, uid: `uid of ${name}`, resourceVersion, creationTimestamp: "" };
    const object = { apiVersion: "v1", kind: "Secret", metadata };
    listeners.get(name)?.({ type: "MODIFIED", object });
  };
  const list = async () => ({ items: [], resourceVersion: "1" });
  return { client: { watch, list } as unknown as KubeClient, listeners, happen };
}

test("it watches just the objects of the serving certificate, and a change of any ends the rest", async () => {
  const { client, listeners, happen } = streams();
  const watch = new ServingWatch(client, counters, log);
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await Bun.sleep(10); // until the streams are open
  expect([...listeners.keys()].toSorted()).toEqual([
    "kuar-defaulter",
    "kuar-validator",
    "loadtest-webhook-ca",
    "loadtest-webhook-tls",
  ]);
  expect(watch.isAlive).toBe(true);
  await watch.rest(600_000, stop.signal); // what was read before the lists may be older
  for (const name of listeners.keys()) {
    const rest = watch.rest(600_000, stop.signal);
    happen(name, "1");
    await rest;
  }
  stop.abort();
  await running;
});

test("a change during the work before a rest ends it at once, and without one it lasts", async () => {
  const { client, happen } = streams();
  const watch = new ServingWatch(client, counters, log);
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await Bun.sleep(10); // until the streams are open
  happen("kuar-validator", "1");
  await Bun.sleep(10);
  await watch.rest(600_000, stop.signal);
  let isOver = false;
  const rest = watch.rest(600_000, stop.signal).then(() => {
    isOver = true;
  });
  await Bun.sleep(10);
  expect(isOver).toBe(false);
  happen("kuar-validator", "2");
  await rest;
  stop.abort();
  await running;
});
