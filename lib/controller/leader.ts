// Which of several controllers acts: the holder of a Lease (https://kubernetes.io/docs/concepts/architecture/leases/).
// A Lease is no lock: for a moment two may believe that they hold it. Deterministic names and writes that hold only for
// what was read make that harmless.
import { isConflict } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ObjectKey, Resource } from "../kube/resource.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

const leases: Resource<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

/** A Lease that nobody has renewed for so long is free. */
const leaseSeconds = 15;
/** A holder that could not renew for so long stands down, well before others may step in. */
const renewalDeadlineMs = 10_000;
const retryMs = 2000;

export class Leader {
  readonly #client: KubeClient;
  readonly #key: ObjectKey;
  readonly #identity: string;
  readonly #log: Log;
  /** Until when this one leads if it cannot renew, monotonic ns. */
  #leadsUntilNs = 0;
  /** The version of the Lease last seen, and since when it has been that one, by this process's own clock. */
  #seen: { version: string; sinceNs: number } | undefined;

  constructor(client: KubeClient, key: ObjectKey, identity: string, log: Log) {
    this.#client = client;
    this.#key = key;
    this.#identity = identity;
    this.#log = log;
  }

  get isLeading(): boolean {
    return monotonicNs() < this.#leadsUntilNs;
  }

  /** Takes, renews and, when `stop` is aborted, gives the Lease back. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const wasLeading = this.isLeading;
      try {
        await this.#tryToLead();
      } catch (error: unknown) {
        if (!isConflict(error)) this.#log.warn({ error: (error as Error).message }, "cannot renew the lease");
      }
      if (this.isLeading !== wasLeading)
        this.#log.info({ identity: this.#identity }, wasLeading ? "leads no more" : "leads");
      await sleep(retryMs, stop);
    }
    await this.#release();
  }

  async #tryToLead(): Promise<void> {
    const askedNs = monotonicNs();
    const lease = await this.#client.get(leases, this.#key, { timeoutMs: renewalDeadlineMs / 2 });
    const { holderIdentity = "" } = lease.spec ?? {};
    if (holderIdentity !== this.#identity && !this.#isFree(lease)) {
      this.#leadsUntilNs = 0;
      return;
    }
    const now = formatMicros(nowMs());
    const { acquireTime, leaseTransitions = 0 } = lease.spec ?? {};
    const isOurs = holderIdentity === this.#identity;
    await this.#client.replace(
      leases,
      {
        ...lease,
        spec: {
          holderIdentity: this.#identity,
          leaseDurationSeconds: leaseSeconds,
          acquireTime: isOurs ? (acquireTime ?? now) : now,
          renewTime: now,
          leaseTransitions: isOurs ? leaseTransitions : leaseTransitions + 1,
        },
      },
      { timeoutMs: renewalDeadlineMs / 2 },
    );
    this.#leadsUntilNs = askedNs + renewalDeadlineMs * 1e6;
  }

  /** Whether nobody holds it, or its holder has not renewed it for as long as it lasts, as seen from here. */
  #isFree({ metadata, spec }: Observed<Lease>): boolean {
    if (!spec?.holderIdentity) return true;
    if (this.#seen?.version !== metadata.resourceVersion) {
      this.#seen = { version: metadata.resourceVersion, sinceNs: monotonicNs() };
      return false;
    }
    return monotonicNs() - this.#seen.sinceNs > (spec.leaseDurationSeconds ?? leaseSeconds) * 1e9;
  }

  async #release(): Promise<void> {
    if (!this.isLeading) return;
    this.#leadsUntilNs = 0;
    try {
      const lease = await this.#client.get(leases, this.#key, { timeoutMs: retryMs });
      if (lease.spec?.holderIdentity !== this.#identity) return;
      const { holderIdentity: _, ...spec } = lease.spec;
      await this.#client.replace(leases, { ...lease, spec }, { timeoutMs: retryMs });
      this.#log.info({ identity: this.#identity }, "gave the lease back");
    } catch (error: unknown) {
      this.#log.warn({ error: (error as Error).message }, "cannot give the lease back: it runs out by itself");
    }
  }
}

/** RFC 3339 with microseconds, which Leases want. */
function formatMicros(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
