// Connections in the order in which they came: a ring with room for all of them. Hot, but for a change of its size.
import type { Connection } from "./connection.ts";

export class FreeQueue {
  readonly #ring: (Connection | undefined)[];
  #first = 0;
  #length = 0;

  /** Room for `capacity` connections. */
  constructor(capacity: number) {
    this.#ring = new Array(capacity).fill(undefined);
  }

  /** How many stand in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Adds a connection, unless it stands in a queue already. */
  push(connection: Connection): void {
    if (connection.isQueued) return;
    connection.isQueued = true;
    let at = this.#first + this.#length++;
    if (at >= this.#ring.length) at -= this.#ring.length;
    this.#ring[at] = connection;
  }

  /** The same queue with room for `capacity` connections, without those that are retired. */
  resized(capacity: number): FreeQueue {
    const queue = new FreeQueue(capacity);
    for (; this.#length > 0; ) {
      const connection = this.#ring[this.#first] as Connection;
      this.shift();
      if (!connection.isRetired) queue.push(connection);
    }
    return queue;
  }

  /** The connection that has stood in the queue for longest. */
  peek(): Connection | undefined {
    return this.#ring[this.#first];
  }

  /** Takes out what `peek` has shown. */
  shift(): void {
    (this.#ring[this.#first] as Connection).isQueued = false;
    this.#ring[this.#first] = undefined;
    this.#first = this.#first + 1 === this.#ring.length ? 0 : this.#first + 1;
    this.#length--;
  }
}
