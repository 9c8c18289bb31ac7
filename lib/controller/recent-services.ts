// Target Services that were there within the last second: LoadTests that come together often aim at the same one, and to
// ask for it each time would be half of the calls before their first Pods. A Service that goes within that second might
// as well have gone just after; one that is missing is asked for each time.
import type { KubeClient } from "../kube/client.ts";
import { find } from "../kube/find.ts";
import { type ObjectKey, services } from "../kube/resource.ts";
import type { Observed, Service } from "../plan/objects.ts";
import { monotonicNs } from "../runtime/clock.ts";

const freshNs = 1e9;
const mostKept = 1000;

export class RecentServices {
  readonly #asked = new Map<string, { atNs: number; answer: Promise<Observed<Service> | null> }>();

  /** null: there is none. Rejects as the client does. */
  get(client: KubeClient, key: Required<ObjectKey>): Promise<Observed<Service> | null> {
    const name = `${key.namespace}/${key.name}`;
    const known = this.#asked.get(name);
    if (known !== undefined && monotonicNs() - known.atNs < freshNs) return known.answer;
    const answer = find(client, services, key).then((service) => service ?? null);
    this.#keep(name, answer);
    return answer;
  }

  #keep(name: string, answer: Promise<Observed<Service> | null>): void {
    if (this.#asked.size >= mostKept) this.#asked.clear();
    const entry = { atNs: monotonicNs(), answer };
    this.#asked.set(name, entry);
    const forget = () => {
      if (this.#asked.get(name) === entry) this.#asked.delete(name);
    };
    answer.then((service) => service ?? forget(), forget);
  }
}
