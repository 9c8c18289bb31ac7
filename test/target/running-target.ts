// Targets in this process, for tests that speak to them over real sockets.
import { startTarget, type Target, type TargetOptions } from "../../lib/target/server.ts";

const running: Target[] = [];

/** Starts a target on a free port that answers at once, but for `options`. */
export function start(options: Partial<TargetOptions> = {}): Target {
  const target = startTarget({
    hostname: "127.0.0.1",
    port: 0,
    serviceNs: 0,
    servers: Number.POSITIVE_INFINITY,
    stalls: [],
    faults: [],
    framings: ["length"],
    bodyBytes: 3,
    isSplit: false,
    maxArrivals: 1000,
    ...options,
  });
  running.push(target);
  return target;
}

export function stopAll(): void {
  for (const target of running.splice(0)) target.stop();
}

export const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
export const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";
export const okClosing = ok.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
export const isBytes = (count: number) => (text: string) => text.length >= count;
