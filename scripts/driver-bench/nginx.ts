// nginx as a target that is as cheap as a real server can be: one process, one core, a small body out of memory.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { selfSigned } from "../../lib/pki/self-signed.ts";
import type { Bench } from "./bench.ts";
import { endChild, startOnCore } from "./child.ts";

export interface NginxUrls {
  http: string;
  https: string;
}

const bodyBytes = 612;
const dayMs = 24 * 3600e3;
const startLimitMs = 10e3;

/** Runs `use` while nginx serves on two free ports of the loopback, for `limitSeconds` at most. */
export async function withNginx<T>(
  bench: Bench,
  limitSeconds: number,
  use: (urls: NginxUrls) => Promise<T>,
): Promise<T> {
  const folder = join(bench.folder, "nginx");
  mkdirSync(folder);
  const [httpPort, httpsPort] = freePorts(2) as [number, number];
  const { certificatePem, keyPem } = await certificate();
  writeFileSync(join(folder, "tls.crt"), certificatePem);
  writeFileSync(join(folder, "tls.key"), keyPem, { mode: 0o600 });
  writeFileSync(join(folder, "nginx.conf"), configuration(httpPort, httpsPort));
  const command = [nginxPath(), "-p", `${folder}/`, "-c", "nginx.conf", "-e", "stderr"];
  const child = startOnCore(command, { ...bench, core: bench.serverCore, limitSeconds });
  try {
    const urls = { http: `http://127.0.0.1:${httpPort}/`, https: `https://127.0.0.1:${httpsPort}/` };
    const words = child.stderr.text();
    await Promise.race([
      answers(urls.http),
      child.exited.then(async () => Promise.reject(new Error(`Cannot start nginx: ${(await words).trim()}`))),
    ]);
    return await use(urls);
  } finally {
    await endChild(child);
    rmSync(folder, { recursive: true });
  }
}

/** Where nginx is; Debian keeps it out of the PATH of ordinary users. */
export function nginxPath(): string {
  const path = Bun.which("nginx", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });
  if (path === null) throw new Error("Cannot run the benchmark: nginx is missing, must be installed");
  return path;
}

/** One cipher for all: clients that prefer AES-256 would otherwise do more work than those that do not. */
function configuration(httpPort: number, httpsPort: number): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `  ${name}_temp_path ${name};\n`);
  return `daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 8192; }
http {
${folders.join("")}  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  default_type text/html;
  server {
    listen 127.0.0.1:${httpPort} backlog=4096;
    listen 127.0.0.1:${httpsPort} ssl backlog=4096;
    ssl_certificate tls.crt;
    ssl_certificate_key tls.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    location / { return 200 "${"x".repeat(bodyBytes)}"; }
  }
}
`;
}

async function certificate(): Promise<{ certificatePem: string; keyPem: string }> {
  return await selfSigned({
    keys: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    serialNumber: "01",
    notBeforeMs: Date.now() - dayMs,
    notAfterMs: Date.now() + dayMs,
  });
}

/** Ports that are free now, all held until the last is found. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }),
  );
  for (const listener of listeners) listener.stop();
  return listeners.map(({ port }) => port);
}

async function answers(url: string): Promise<void> {
  const deadlineNs = Bun.nanoseconds() + startLimitMs * 1e6;
  while (Bun.nanoseconds() < deadlineNs) {
    try {
      await (await fetch(url, { signal: AbortSignal.timeout(1000) })).text();
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
  throw new Error(`Cannot start nginx: it does not answer on ${url} within ${startLimitMs / 1e3} s`);
}
