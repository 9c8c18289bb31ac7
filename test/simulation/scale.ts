// What LoadTests cost the API server, counted on the model: no formula of a paper, but what the loop really asks for.
import { loadtests, services } from "../../lib/kube/resource.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { isComplete } from "../../lib/plan/run.ts";
import { Chance } from "../chance.ts";
import { ApiServer } from "../model/api-server.ts";
import { GarbageCollector } from "../model/garbage-collector.ts";
import { Kubelets } from "../model/kubelets.ts";
import { inVirtualTime, VirtualTime } from "../model/virtual-time.ts";
import { Replica } from "./replica.ts";

const namespace = "ns";
const pollMs = 30_000;

export interface Cost {
  /** Of the controller, by verb and resource: `create pods`. */
  readonly calls: Readonly<Record<string, number>>;
  readonly bytesSent: number;
  /** Answers and events of watches. */
  readonly bytesReceived: number;
}

/** A calm cluster with one controller. */
class Calm {
  readonly time: VirtualTime;
  readonly server: ApiServer;
  readonly #chance = new Chance(1, 1);
  readonly #replica: Replica;
  #before = { bytesSent: 0, bytesReceived: 0 };

  constructor(time: VirtualTime) {
    const server = new ApiServer(time, [namespace]);
    this.time = time;
    this.server = server;
    const within = (from: number, to: number) => () => from + this.#chance.below(to - from);

    new GarbageCollector({ time, server, delayMs: within(20, 100) });
    new Kubelets({
      time,
      server,
      nodes: 20,
      delays: {
        schedulingMs: within(5, 50),
        startingMs: within(400, 1500),
        reportingMs: within(5, 100),
        deliveryMs: within(300, 500),
        killingMs: within(5, 100),
        restartingMs: within(500, 1000),
      },
      happened: () => {},
      broken: () => {},
    });
    this.#replica = new Replica(
      time,
      server,
      {
        fateOf: () => "served",
        latencyMs: within(1, 5),
        disturbanceOf: () => "none",
        streamLengthMs: () => 300_000,
        happened: () => {},
        crashed: () => {},
        blindlyDeleted: () => {},
        createdLate: () => {},
        underWay: { calls: 0 },
        random: () => 0,
        isWeighed: true,
      },
      () => {},
    );
    this.#replica.leads = true;
    this.#replica.begin();
    const metadata = { namespace, name: "web" };
    server.create(services, { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } } as never);
    time.runUntil(time.nowMs + 1000);
    this.#reset();
  }

  create(name: string, more: object): void {
    const spec = { service: "web", scheme: "http", paths: ["/index.html"], ...more };
    const metadata = { namespace, name };
    this.server.create(loadtests, { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata, spec } as never);
  }

  /** What has been asked for while that time passed. */
  costOf(pass: () => void): Cost {
    this.#reset();
    pass();
    const { calls, bytesSent, bytesReceived } = this.#replica.client.traffic;
    // Streams are opened anew now and then, whatever there is to do.
    const asked = [...calls].filter(([name]) => !name.startsWith("watch ") && name !== "list canaries");
    return {
      calls: Object.fromEntries(asked),
      bytesSent: bytesSent - this.#before.bytesSent,
      bytesReceived: bytesReceived - this.#before.bytesReceived,
    };
  }

  #reset(): void {
    const { traffic } = this.#replica.client;
    traffic.calls.clear();
    this.#before = { ...traffic };
  }
}

/** Of one LoadTest of ten seconds, from its creation to its verdict. */
export function costOfTest(workers: number): Cost {
  return calmly((calm) =>
    calm.costOf(() => {
      calm.create("a", { requestsPerSecond: 10 * workers, workers, duration: "10s" });
      const isJudged = () => isComplete(calm.server.get(loadtests, { namespace, name: "a" }) as unknown as LoadTest);
      while (!isJudged()) calm.time.runUntil(calm.time.nowMs + 50);
    }),
  );
}

/** Of a poll, with LoadTests that have ended, which had one worker each. */
export function costOfPoll(loadTests: number): Cost {
  return calmly((calm) => {
    for (let number = 0; number < loadTests; number++)
      calm.create(`t${number}`, { requestsPerSecond: 9, duration: "5s" });
    calm.time.runUntil(calm.time.nowMs + 2 * pollMs);
    if (!calm.server.store.all(loadtests.plural).every((one) => isComplete(one as never))) throw new Error("not yet");
    return calm.costOf(() => calm.time.runUntil(calm.time.nowMs + pollMs));
  });
}

function calmly<T>(run: (calm: Calm) => T): T {
  const time = new VirtualTime(Date.UTC(2030, 0, 1));
  return inVirtualTime(
    time,
    () => 0,
    () => run(new Calm(time)),
  );
}

/** Of one minute of a LoadTest that runs: the figures of its workers, and what is kept of them. */
export function costOfMinute(workers: number): Cost {
  return calmly((calm) => {
    calm.create("a", { requestsPerSecond: 10 * workers, workers });
    calm.time.runUntil(calm.time.nowMs + 2 * pollMs);
    return calm.costOf(() => calm.time.runUntil(calm.time.nowMs + 60_000));
  });
}

/** Columns, and the calls that they count. */
const columns: Readonly<Record<string, readonly string[]>> = {
  Pods: ["create pods"],
  plans: ["patch pods"],
  statuses: ["patch loadtests/status"],
  results: ["create loadtestresults", "update loadtestresults"],
  Events: ["create events"],
  Services: ["create services", "delete services"],
  LISTs: ["list pods", "list loadtests"],
  GETs: ["get loadtests", "get services", "get loadtestresults"],
  logs: ["get pods/log"],
};

/** As it stands in ARCHITECTURE.md. */
export function scaleTables(workerCounts: readonly number[] = [1, 4, 32, 100]): string {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const head = (first: string) => [
    row([first, ...Object.keys(columns), "sent KB", "received KB"]),
    row(["---:", ...Object.keys(columns).map(() => "---:"), "---:", "---:"]),
  ];
  const line = (first: number, { calls, bytesSent, bytesReceived }: Cost) =>
    row([
      first,
      ...Object.values(columns).map((names) => names.reduce((sum, name) => sum + (calls[name] ?? 0), 0)),
      ...[bytesSent, bytesReceived].map((bytes) => Math.round(bytes / 1000)),
    ]);
  return [
    ...head("workers, ten seconds in all"),
    ...workerCounts.map((workers) => line(workers, costOfTest(workers))),
    "",
    ...head("workers, a minute"),
    ...workerCounts.map((workers) => line(workers, costOfMinute(workers))),
    "",
    ...head("finished LoadTests, a poll"),
    ...workerCounts.map((count) => line(count, costOfPoll(count))),
  ].join("\n");
}
