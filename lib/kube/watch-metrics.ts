// What watches bring, counted.
import { Counter, type Registry } from "prom-client";
import type { WatchCounters } from "./doorbell.ts";

export function watchCounters(registry: Registry): WatchCounters {
  const common = { labelNames: ["kind"], registers: [registry] };
  return {
    events: new Counter({
      name: "loadtest_watch_events_total",
      help: "Changes heard of, by the kind of the object.",
      ...common,
    }),
    watchesBroken: new Counter({
      name: "loadtest_watches_broken_total",
      help: "Watches that broke off or fell silent, by kind.",
      ...common,
    }),
  };
}
