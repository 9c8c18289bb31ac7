// The addresses of the target: resolved here, so that connections spread evenly over all of them, and again from time
// to time, so that they follow a Service whose endpoints change.
import { isIP } from "node:net";
import { TargetError } from "./target-error.ts";

/** All addresses of a name, in any order; rejects with the resolver's error. */
export type Lookup = (host: string) => Promise<readonly string[]>;

const lookup: Lookup = async (host) => (await Bun.dns.lookup(host, { family: 0 })).map(({ address }) => address);

export class Addresses {
  readonly #host: string;
  readonly #lookup: Lookup;
  #addresses: readonly string[] = [];
  #next = 0;

  constructor(host: string, using: Lookup = lookup) {
    this.#host = host;
    this.#lookup = using;
  }

  /** Finds the addresses anew. Rejects with a TargetError of kind `dns`, and the former ones stay. */
  async resolve(): Promise<void> {
    if (isIP(this.#host) !== 0) {
      this.#addresses = [this.#host];
      return;
    }
    try {
      this.#addresses = [...new Set(await this.#lookup(this.#host))].sort();
    } catch (error: unknown) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new TargetError("dns", `Cannot resolve "${this.#host}": ${code ?? message}, must be a name that DNS knows`);
    }
  }

  has(address: string): boolean {
    return this.#addresses.includes(address);
  }

  /** How many are known. */
  get count(): number {
    return this.#addresses.length;
  }

  /** The address that follows on `address`, after the last the first; undefined when none is known. */
  after(address: string): string | undefined {
    return this.#addresses[(this.#addresses.indexOf(address) + 1) % this.#addresses.length];
  }

  /** The addresses in turn; undefined as long as none is known. */
  next(): string | undefined {
    return this.#addresses[this.#next++ % this.#addresses.length];
  }
}
