// Liveness and readiness over HTTP: alive while passes go through, ready after the first.
import { nowMs } from "../runtime/clock.ts";
import type { LoopHealth } from "./loop.ts";

/** Passes may fail for this long, an API server's restart included, before the process counts as stuck. */
const patienceMs = 180_000;

export interface HealthServer {
  port: number;
  stop(): Promise<void>;
}

/** Serves `/healthz` and `/readyz` on all IPv4 addresses; port 0 takes a free one. Throws when the port is taken. */
export function serveHealth(port: number, health: LoopHealth): HealthServer {
  const startedAtMs = nowMs();
  const answer = (isGood: boolean, words: string) => new Response(`${words}\n`, { status: isGood ? 200 : 503 });
  const server = Bun.serve({
    port,
    hostname: "0.0.0.0",
    routes: {
      "/healthz": () => {
        const agoMs = nowMs() - Math.max(health.passedAtMs, startedAtMs);
        return answer(agoMs < patienceMs, agoMs < patienceMs ? "ok" : `no pass for ${Math.round(agoMs / 1000)} s`);
      },
      "/readyz": () => answer(health.passedAtMs > 0, health.passedAtMs > 0 ? "ok" : "no pass yet"),
    },
    fetch: () => new Response("not found\n", { status: 404 }),
  });
  return { port: server.port as number, stop: () => server.stop(true) };
}
