// What proves to an API server who is calling, kept until it is due to be read again or the server rejects it.
//
// As long as nothing changes, the same object is handed out with the same `tls` inside: Bun pools connections by it.
import { nowMs } from "../runtime/clock.ts";
import type { TlsOptions } from "./tls-options.ts";

export interface Credentials {
  readonly tls: TlsOptions;
  /** `Authorization`, and whom to impersonate. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Credentials as just read, and the instant from which on they are to be read again. */
export interface ReadCredentials {
  readonly credentials: Credentials;
  readonly renewAtMs: number;
}

/** Files with credentials may be rotated at any time: client-go, too, reads token files again each minute. */
export const fileLifetimeMs = 60_000;
const retryReadMs = 10_000;

export class CredentialSource {
  readonly #read: () => Promise<ReadCredentials>;
  #held: ReadCredentials | undefined;
  #reading: Promise<Credentials> | undefined;

  constructor(read: () => Promise<ReadCredentials>) {
    this.#read = read;
  }

  /** What to use now. A failing re-read leaves what was read before in use, for the server to judge. */
  async current(): Promise<Credentials> {
    const held = this.#held;
    if (held !== undefined && nowMs() < held.renewAtMs) return held.credentials;
    try {
      return await this.#renew();
    } catch (error: unknown) {
      if (held === undefined) throw error;
      this.#held = { credentials: held.credentials, renewAtMs: nowMs() + retryReadMs };
      return held.credentials;
    }
  }

  /** After the server rejected `rejected`: what to use instead; the same object when there is nothing else. */
  async replacementFor(rejected: Credentials): Promise<Credentials> {
    const held = this.#held?.credentials;
    return held !== undefined && held !== rejected ? held : this.#renew();
  }

  #renew(): Promise<Credentials> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<Credentials> {
    const { credentials, renewAtMs } = await this.#read();
    const kept = keepUnchanged(this.#held?.credentials, credentials);
    this.#held = { credentials: kept, renewAtMs };
    return kept;
  }
}

function keepUnchanged(old: Credentials | undefined, fresh: Credentials): Credentials {
  if (old === undefined || Bun.deepEquals(old, fresh)) return old ?? fresh;
  return Bun.deepEquals(old.tls, fresh.tls) ? { tls: old.tls, headers: fresh.headers } : fresh;
}
