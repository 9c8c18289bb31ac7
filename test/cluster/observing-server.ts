// An API server that answers every question with its version, and notes who asked, and how; and a proxy before it.
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import type { TestPki } from "../kube/test-server.ts";

/** What tells one request from another. */
export interface Asked {
  path: string;
  /** Authorization and Impersonate-* headers. */
  headers: Record<string, string>;
  /** With a client certificate of `ca`. */
  hasCertificate?: true;
  /** Through a proxy, with these credentials. */
  proxied?: string;
}

export class ObservingServer {
  /** All requests so far. */
  readonly asked: Asked[] = [];
  readonly ports: {
    https: number;
    mutual: number;
    named: number;
    http: number;
    ipv6: number;
    httpProxy: number;
    httpsProxy: number;
  };
  readonly #servers: ReturnType<typeof createHttpServer>[] = [];
  #proxied: string | undefined;

  private constructor(ports: ObservingServer["ports"]) {
    this.ports = ports;
  }

  /** `named` has the certificate of kube.example, the others that of localhost; `mutual` wants one of its clients. */
  static async start(pki: TestPki): Promise<ObservingServer> {
    const server = new ObservingServer({
      https: 0,
      mutual: 0,
      named: 0,
      http: 0,
      ipv6: 0,
      httpProxy: 0,
      httpsProxy: 0,
    });
    const answering =
      (client: object = {}): RequestListener =>
      (request, response) => {
        server.#note(request, client);
        response.setHeader("Content-Type", "application/json").end('{"major":"1","minor":"34","gitVersion":"v1.34.4"}');
      };
    const tls = (name: string) => ({
      cert: pki.pem(`${name}.crt`),
      key: pki.pem(`${name}.key`),
      ca: pki.pem("ca.crt"),
    });
    const wanting = { requestCert: true, rejectUnauthorized: true };
    const proxies = [createHttpServer(), createHttpsServer(tls("server"))];
    for (const proxy of proxies) proxy.on("connect", (...args) => server.#tunnel(...args));
    const [https, mutual, named, http, ipv6, httpProxy, httpsProxy] = await Promise.all([
      server.#listen(createHttpsServer(tls("server"), answering())),
      server.#listen(createHttpsServer({ ...tls("server"), ...wanting }, answering({ hasCertificate: true }))),
      server.#listen(createHttpsServer(tls("named"), answering())),
      server.#listen(createHttpServer(answering())),
      server.#listen(createHttpsServer(tls("server"), answering()), "::1"),
      ...proxies.map((proxy) => server.#listen(proxy)),
    ]);
    Object.assign(server.ports, { https, mutual, named, http, ipv6, httpProxy, httpsProxy });
    return server;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
  }

  #listen(server: ReturnType<typeof createHttpServer>, host = "127.0.0.1"): Promise<number> {
    this.#servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
    });
  }

  #note({ url = "", headers }: IncomingMessage, client: object): void {
    const kept = Object.entries(headers).filter(([name]) => /^(authorization$|impersonate-)/.test(name));
    this.asked.push({
      path: url,
      headers: Object.fromEntries(kept) as Record<string, string>,
      ...client,
      ...(this.#proxied === undefined ? {} : { proxied: this.#proxied }),
    });
    this.#proxied = undefined;
  }

  #tunnel({ url = "", headers }: IncomingMessage, socket: Duplex, head: Buffer): void {
    const port = Number(url.split(":").at(-1));
    this.#proxied = headers["proxy-authorization"] ?? "by nobody";
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  }
}
