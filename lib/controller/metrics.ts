// What the controller counts: its work, and what it costs the API server.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Traffic } from "../kube/http-client.ts";

export class ControllerMetrics {
  readonly reconciles: Counter<"outcome">;
  readonly seconds: Histogram;
  readonly actions: Counter<"action">;
  readonly replaced: Counter;
  readonly added: Counter;
  readonly reminded: Counter;

  /** @param traffic Of the client that the controller uses. */
  constructor(registry: Registry, traffic: Traffic, queueSize: () => number, leads: () => boolean) {
    const registers = [registry];
    this.reconciles = new Counter({
      name: "loadtest_reconciles_total",
      help: "LoadTests observed, planned and acted on.",
      labelNames: ["outcome"],
      registers,
    });
    this.seconds = new Histogram({
      name: "loadtest_reconcile_seconds",
      help: "From the look at a LoadTest to the last action for it.",
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers,
    });
    this.actions = new Counter({
      name: "loadtest_actions_total",
      help: "Writes to the cluster on behalf of LoadTests, attempts included.",
      labelNames: ["action"],
      registers,
    });
    this.replaced = new Counter({
      name: "loadtest_workers_replaced_total",
      help: "Workers that took the place of others that had failed, hung, or gone with their Pods.",
      registers,
    });
    this.added = new Counter({
      name: "loadtest_workers_added_total",
      help: "Workers added because those of a load did not keep up.",
      registers,
    });
    this.reminded = new Counter({
      name: "loadtest_workers_told_again_total",
      help: "Workers told their plan again because they went on by an older one.",
      registers,
    });
    gauge(registers, "loadtest_queue_keys", "LoadTests in line or worked on.", queueSize);
    gauge(registers, "loadtest_leads", "1 while this controller is the one that acts.", () => (leads() ? 1 : 0));
    apiCalls(registers, traffic.calls);
    gauge(registers, "loadtest_api_sent_bytes", "Bytes of request bodies so far.", () => traffic.bytesSent);
    gauge(registers, "loadtest_api_received_bytes", "Bytes of response bodies so far.", () => traffic.bytesReceived);
  }
}

function gauge(registers: Registry[], name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(value());
    },
  });
}

function apiCalls(registers: Registry[], calls: ReadonlyMap<string, number>): void {
  new Gauge({
    name: "loadtest_api_calls",
    help: "Calls to the API server so far, attempts included, by verb and resource as in rights.",
    labelNames: ["verb", "resource"],
    registers,
    collect() {
      for (const [call, count] of calls) {
        const [verb = "", resource = ""] = call.split(" ");
        this.set({ verb, resource }, count);
      }
    },
  });
}
