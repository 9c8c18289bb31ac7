// The admission endpoint, put together: `loadtest webhook` serves it alone, the controller beside its loop.
import type { Registry } from "prom-client";
import { fillIn, judgeWithSecrets } from "../loadtest/admission.ts";
import type { MayGetSecret } from "../loadtest/secret-access.ts";
import type { Log } from "../runtime/log.ts";
import { Caller, type CallerRules } from "./caller.ts";
import { checkAuthorities, checkCertificate, type ServingCertificate } from "./certificate.ts";
import { type ConnectionLimits, connectionLimits } from "./connections.ts";
import { AdmissionMetrics } from "./metrics.ts";
import { type BodyLimits, RequestBodies } from "./request-bodies.ts";
import { malformed, unmetExpectation } from "./request-head.ts";
import { type Judges, ReviewHandler } from "./review-handler.ts";
import { type Address, WebhookServer } from "./server.ts";

export interface AdmissionOptions extends Address {
  /** HTTP without TLS. */
  isPlain?: boolean;
  /** Who may ask; absent: everybody. */
  caller?: CallerRules;
  log: Log;
  registry: Registry;
  judges?: Judges;
  /** Absent: no LoadTest may name a Secret. */
  mayGetSecret?: MayGetSecret;
  limits?: { connections?: ConnectionLimits; bodies?: BodyLimits };
}

const nobodyToAsk: MayGetSecret = () =>
  Promise.reject(new Error("the webhook has no cluster to ask, must be started with --kubeconfig"));

/** Listens at once; TLS connections are closed until there is a certificate. Rejects when it cannot listen. */
export async function startAdmission(options: AdmissionOptions): Promise<Admission> {
  const { limits } = options;
  const metrics = new AdmissionMetrics(options.registry);
  const caller = new Caller(options.caller ?? { needsCertificate: false });
  const handler = new ReviewHandler({
    judges: options.judges ?? {
      "/validate": judgeWithSecrets(options.mayGetSecret ?? nobodyToAsk),
      "/mutate": fillIn,
    },
    caller,
    bodies: new RequestBodies(limits?.bodies),
    metrics,
    log: options.log,
  });
  const server = new WebhookServer({
    metrics,
    isPlain: options.isPlain === true,
    limits: limits?.connections ?? connectionLimits,
    exchange: (request, response, isWaiting) => handler.handle(request, response, isWaiting),
    unexpected: (request, response) => handler.refuse(request, response, unmetExpectation(request)),
    malformed: (code) => handler.count(malformed(code)),
  });
  const port = await server.listen(options);
  return new Admission(port, server, caller, metrics);
}

export class Admission {
  readonly port: number;
  readonly #server: WebhookServer;
  readonly #caller: Caller;
  readonly #metrics: AdmissionMetrics;
  #certificate: ServingCertificate | undefined;
  #clientCaPem: string | undefined;

  constructor(port: number, server: WebhookServer, caller: Caller, metrics: AdmissionMetrics) {
    this.port = port;
    this.#server = server;
    this.#caller = caller;
    this.#metrics = metrics;
  }

  /** Serves with it from the next connection on; open ones stay. Throws, and changes nothing, when it will not do. */
  useCertificate(certificate: ServingCertificate): { notAfterMs: number } {
    try {
      const { notAfterMs } = checkCertificate(certificate);
      this.#identify(certificate, this.#clientCaPem);
      this.#metrics.certificates.inc({ outcome: "used" });
      this.#metrics.certificateNotAfter.set(Math.floor(notAfterMs / 1000));
      return { notAfterMs };
    } catch (error: unknown) {
      this.#metrics.certificates.inc({ outcome: "refused" });
      throw error;
    }
  }

  /** Believes clients whose certificates these authorities (PEM) vouch for, and no others. Throws when there is none. */
  useClientAuthorities(pem: string): void {
    checkAuthorities(pem);
    this.#identify(this.#certificate, pem);
  }

  /** Answers only requests with this token. Throws when it is none. */
  useCallerToken(text: string): void {
    this.#caller.useToken(text);
  }

  /** Why no requests should come here now; undefined: they may. */
  problem(): string | undefined {
    if (this.#server.isDraining) return "stopping";
    return this.#server.hasIdentity ? undefined : "no serving certificate yet";
  }

  /** Serves on for `durationMs` or until `signal`, unready; then ends what is under way, and closes. */
  drain(durationMs: number, signal?: AbortSignal): Promise<void> {
    return this.#server.drain(durationMs, signal);
  }

  /** Closes everything at once. */
  stop(): void {
    this.#server.stop();
  }

  #identify(certificate: ServingCertificate | undefined, clientCaPem: string | undefined): void {
    const isWhole = certificate !== undefined && (clientCaPem !== undefined || !this.#caller.needsCertificate);
    if (isWhole) this.#server.useIdentity({ ...certificate, clientCaPem });
    this.#certificate = certificate;
    this.#clientCaPem = clientCaPem;
  }
}
