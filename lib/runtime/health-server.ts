// Liveness and readiness over HTTP, as the kubelet asks for them.

/** What is wrong now, in a few words; undefined: nothing. */
export type HealthCheck = () => string | undefined;

export interface HealthChecks {
  /** Failing for long gets the process restarted. */
  live: HealthCheck;
  /** Failing takes it out of the Service. */
  ready: HealthCheck;
}

export interface HealthServer {
  port: number;
  stop(): Promise<void>;
}

/** Serves `/healthz` and `/readyz` on all IPv4 addresses; port 0 takes a free one. Throws when it cannot listen. */
export function serveHealth(port: number, checks: HealthChecks): HealthServer {
  const server = Bun.serve({
    port,
    hostname: "0.0.0.0",
    routes: { "/healthz": () => answer(checks.live()), "/readyz": () => answer(checks.ready()) },
    fetch: () => new Response("not found\n", { status: 404 }),
  });
  return { port: server.port as number, stop: () => server.stop(true) };
}

function answer(problem: string | undefined): Response {
  return new Response(`${problem ?? "ok"}\n`, { status: problem === undefined ? 200 : 503 });
}
