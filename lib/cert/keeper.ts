// Keeps the serving certificate in order: reads what is so, takes the next step, and serves what is stored. Every
// replica reads and serves; one of them acts.
import { isConflict } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { joinBundle } from "../pki/bundle.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { chainProblem } from "../pki/chain.ts";
import type { Names } from "../pki/names.ts";
import { exportPrivateKey } from "../pki/private-key.ts";
import { isServable, nextStep, type ServingState, type ServingStep } from "../pki/serving.ts";
import { monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Announcer } from "./announcer.ts";
import type { Endpoint } from "./handshake.ts";
import { newAuthority, newCertificate } from "./issuing.ts";
import { generateKeys } from "./keys.ts";
import { askAll } from "./replicas.ts";
import { readServingStore, type ServingStore, writeAuthority, writeBundle, writeServing } from "./serving-store.ts";
import type { ServingWatch } from "./serving-watch.ts";

/** Until the next look when all is well: while the watch is alive, and without it. */
const restMs = { watched: 120_000, unwatched: 5000 };
const waitMs = 500;

export interface KeeperOptions {
  client: KubeClient;
  /** What the certificate is for; the API server calls the host. */
  host: string;
  names: Names;
  /** Where the endpoint is outside the cluster; absent: behind the Service. */
  webhookUrl?: string;
  /** All replicas of the endpoint, by name. */
  endpoints: () => Promise<ReadonlyMap<string, Endpoint>>;
  /** Serves this from now on. */
  useCertificate: (pair: { certPem: string; keyPem: string }) => void;
  /** Whether this replica is the one that acts. */
  mayAct: () => boolean;
  /** Told of each step taken here, and of how things are after each look; what it cannot tell is logged. */
  announcer: Pick<Announcer, "tellStep" | "tellState">;
  /** Says when to look sooner; absent: at no time. */
  watch?: ServingWatch;
  log: Log;
}

/** Passes until `stop` is aborted. Failed passes are logged and repeated. */
export async function keepCertificate(options: KeeperOptions, stop: AbortSignal): Promise<void> {
  await Promise.all([new Keeper(options).keep(stop), options.watch?.run(stop)]);
}

class Keeper {
  readonly #options: KeeperOptions;
  readonly #allNames: readonly string[];
  /** Since when a registration has been seen to trust an authority, by both their names; ns. */
  #trustedSinceNs = new Map<string, number>();
  #servedFingerprint: string | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#allNames = [...options.names.dnsNames, ...options.names.ipAddresses];
  }

  async keep(stop: AbortSignal): Promise<void> {
    const { watch, log } = this.#options;
    while (!stop.aborted) {
      let delayMs = restMs.unwatched;
      try {
        delayMs = await this.#pass();
      } catch (error: unknown) {
        // Somebody else was faster: what is there now is what counts.
        if (isConflict(error)) delayMs = waitMs;
        else log.error({ error: (error as Error).message }, "cannot look after the serving certificate");
      }
      await (watch === undefined ? sleep(delayMs, stop) : watch.rest(delayMs, stop));
    }
  }

  /** One look and at most one step; returns after how many milliseconds to look again. */
  async #pass(): Promise<number> {
    const { client, host, webhookUrl, announcer, log } = this.#options;
    const store = await readServingStore(client, this.#allNames, webhookUrl);
    this.#serve(store);
    const state = this.#stateOf(store);
    let step = nextStep(state, nowMs());
    if (step.kind === "prove" && this.#options.mayAct()) {
      step = nextStep({ ...state, replicas: await askAll(await this.#options.endpoints()) }, nowMs());
    }
    if (!this.#options.mayAct()) return step.kind === "rest" ? this.#restMs : waitMs;
    await this.#tell(announcer.tellState(store, step));
    if (step.kind === "rest") return this.#restMs;
    if (step.kind === "wait") return waitMs;
    log.info({ step: step.kind, reason: step.reason, host }, "serving certificate");
    await this.#take(step, store);
    await this.#tell(announcer.tellStep(step));
    return 0;
  }

  get #restMs(): number {
    return this.#options.watch?.isAlive ? restMs.watched : restMs.unwatched;
  }

  /** The certificate does not depend on what people are told of it. */
  async #tell(telling: Promise<void>): Promise<void> {
    try {
      await telling;
    } catch (error: unknown) {
      this.#options.log.warn({ error: (error as Error).message }, "cannot tell of the serving certificate");
    }
  }

  /** Serves what is stored, as soon as everybody trusts it; at the start, and in need, anything that is better than nothing. */
  #serve({ serving, registrations }: ServingStore): void {
    if (serving === undefined) return;
    const { fingerprint } = describeCertificate(serving.chainPem);
    const { host } = this.#options;
    if (fingerprint === this.#servedFingerprint || !isServable(serving, host, nowMs())) return;
    const isTrusted = registrations.every(({ bundle }) => {
      const question = { chainPem: serving.chainPem, bundlePem: joinBundle(bundle), host, nowMs: nowMs() };
      return chainProblem(question) === undefined;
    });
    if (!isTrusted && this.#servedFingerprint !== undefined) return;
    this.#options.useCertificate({ certPem: serving.chainPem, keyPem: serving.keyPem });
    this.#servedFingerprint = fingerprint;
    this.#options.log.info({ fingerprint }, "serving certificate loaded");
  }

  #stateOf({ authority, serving, registrations, wanted }: ServingStore): ServingState {
    const authorityPem = authority?.certificatePem;
    const before = this.#trustedSinceNs;
    this.#trustedSinceNs = new Map();
    const seen = registrations.map(({ object, bundle }) => {
      const { name } = object.metadata;
      if (authorityPem === undefined || !bundle.includes(authorityPem)) return { name, bundle, trustedForMs: 0 };
      const key = `${name} ${authorityPem}`;
      const sinceNs = before.get(key) ?? monotonicNs();
      this.#trustedSinceNs.set(key, sinceNs);
      return { name, bundle, trustedForMs: (monotonicNs() - sinceNs) / 1e6 };
    });
    return { host: this.#options.host, authorityPem, serving, registrations: seen, wanted };
  }

  async #take(step: ServingStep, store: ServingStore): Promise<void> {
    const { client, names } = this.#options;
    switch (step.kind) {
      case "makeAuthority":
        await writeAuthority(client, store, await newAuthority("loadtest admission", names), this.#allNames);
        return;
      case "trust":
        for (const registration of store.registrations) await writeBundle(client, registration, step.certificates);
        return;
      case "issue": {
        if (store.authority === undefined) return;
        const keys = await generateKeys();
        // No name of a host as the common name: OpenSSL would hold it to the constraints.
        const chainPem = await newCertificate(store.authority, keys.publicKey, { ...names, commonName: "loadtest" });
        const keyPem = await exportPrivateKey(keys.privateKey);
        await writeServing(client, store, { chainPem, keyPem, issuerPem: store.authority.certificatePem });
        return;
      }
    }
  }
}
