// Metrics over HTTP, as Prometheus scrapes them.

/** A Registry of prom-client is one. */
export interface MetricsSource {
  contentType: string;
  metrics(): string | Promise<string>;
}

export interface MetricsServer {
  port: number;
  stop(): Promise<void>;
}

/** Serves `/metrics` on all IPv4 addresses; port 0 takes a free one. Throws when it cannot listen. */
export function serveMetrics(port: number, source: MetricsSource): MetricsServer {
  const server = Bun.serve({
    port,
    hostname: "0.0.0.0",
    routes: {
      "/metrics": {
        GET: async () => new Response(await source.metrics(), { headers: { "Content-Type": source.contentType } }),
      },
    },
    fetch: () => new Response("not found\n", { status: 404 }),
  });
  return { port: server.port as number, stop: () => server.stop(true) };
}
