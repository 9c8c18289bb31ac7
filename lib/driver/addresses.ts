// The addresses of the target: resolved here, so that connections spread evenly over all of them.
import { isIP } from "node:net";
import { TargetError } from "./target-error.ts";

export class Addresses {
  readonly #addresses: readonly string[];
  #next = 0;

  private constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** All addresses of `host`. Rejects with a TargetError of kind `dns`. */
  static async resolve(host: string): Promise<Addresses> {
    if (isIP(host) !== 0) return new Addresses([host]);
    try {
      const found = await Bun.dns.lookup(host, { family: 0 });
      return new Addresses([...new Set(found.map(({ address }) => address))]);
    } catch (error: unknown) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new TargetError("dns", `Cannot resolve "${host}": ${code ?? message}, must be a name that DNS knows`);
    }
  }

  /** The addresses in turn. */
  next(): string {
    return this.#addresses[this.#next++ % this.#addresses.length] as string;
  }
}
