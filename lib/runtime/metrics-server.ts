// Metrics over HTTP, as Prometheus scrapes them.
import type { Registry } from "prom-client";

export interface MetricsServer {
  port: number;
  stop(): Promise<void>;
}

/** Serves `/metrics` on all IPv4 addresses; port 0 takes a free one. Throws when it cannot listen. */
export function serveMetrics(port: number, registry: Registry): MetricsServer {
  const server = Bun.serve({
    port,
    hostname: "0.0.0.0",
    routes: {
      "/metrics": async () =>
        new Response(await registry.metrics(), { headers: { "Content-Type": registry.contentType } }),
    },
    fetch: () => new Response("not found\n", { status: 404 }),
  });
  return { port: server.port as number, stop: () => server.stop(true) };
}
