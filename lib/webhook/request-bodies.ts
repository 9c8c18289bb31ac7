// The bodies that are being read: how many at once, and how many bytes of them are held. When there are too many, those
// that have been read for longest give way: the API server sends a body in one go, so slow clients keep it out no more than
// many do.
import type { IncomingMessage } from "node:http";
import type { Refusal } from "./refusal.ts";
import { bodyMaxBytes, refusal, tooLarge } from "./request-head.ts";

export interface BodyLimits {
  /** Bodies read at once. */
  count: number;
  /** Memory for all of them. */
  bytes: number;
}

export const bodyLimits: BodyLimits = { count: 64, bytes: 64 * 1024 * 1024 };

const firstCapacityBytes = 4096;

/** Gets a body when it is complete, for as long as the call lasts, or why there is none. */
type Taker = (body: Uint8Array | Refusal) => void;

interface Reading {
  /** Copied together, for the pieces of a body may be a byte each, and would hold far more than what they say. */
  bytes: Uint8Array;
  lengthBytes: number;
  /** Ends it, with a refusal if it is to be answered. */
  end: (refused?: Refusal) => void;
}

export class RequestBodies {
  readonly #limits: BodyLimits;
  /** In the order in which they began. */
  readonly #readings = new Set<Reading>();
  #heldBytes = 0;

  constructor(limits: BodyLimits = bodyLimits) {
    this.#limits = limits;
  }

  /** Calls `take` once; not at all when the client goes away before. */
  read(request: IncomingMessage, take: Taker): void {
    const reading: Reading = {
      bytes: new Uint8Array(0),
      lengthBytes: 0,
      end: (refused) => {
        if (!this.#readings.delete(reading)) return;
        this.#heldBytes -= reading.bytes.length;
        reading.bytes = new Uint8Array(0);
        request.removeListener("data", append);
        if (refused !== undefined) take(refused);
      },
    };
    const append = (chunk: Uint8Array) => this.#append(reading, chunk);
    this.#makeRoom(reading, () => this.#readings.size < this.#limits.count);
    this.#readings.add(reading);
    request.on("data", append);
    request.once("close", () => reading.end());
    request.once("end", () => {
      if (!this.#readings.has(reading)) return;
      try {
        take(reading.bytes.subarray(0, reading.lengthBytes));
      } finally {
        reading.end();
      }
    });
  }

  #append(reading: Reading, chunk: Uint8Array): void {
    const lengthBytes = reading.lengthBytes + chunk.length;
    if (lengthBytes > bodyMaxBytes) reading.end(tooLarge());
    else if (lengthBytes > reading.bytes.length && !this.#grow(reading, lengthBytes)) reading.end(overloaded());
    else {
      reading.bytes.set(chunk, reading.lengthBytes);
      reading.lengthBytes = lengthBytes;
    }
  }

  #grow(reading: Reading, leastBytes: number): boolean {
    const capacityBytes = Math.min(Math.max(leastBytes, 2 * reading.bytes.length, firstCapacityBytes), bodyMaxBytes);
    const moreBytes = capacityBytes - reading.bytes.length;
    if (!this.#makeRoom(reading, () => this.#heldBytes + moreBytes <= this.#limits.bytes)) return false;
    const bytes = new Uint8Array(capacityBytes);
    bytes.set(reading.bytes);
    reading.bytes = bytes;
    this.#heldBytes += moreBytes;
    return true;
  }

  /** Lets readings other than `own` give way, in the order of their age, until there is room; whether there is. */
  #makeRoom(own: Reading, hasRoom: () => boolean): boolean {
    for (const other of this.#readings) {
      if (hasRoom()) return true;
      if (other !== own) other.end(overloaded());
    }
    return hasRoom();
  }
}

function overloaded(): Refusal {
  return {
    ...refusal(503, "overloaded", "too many bodies are being read, must be sent again later"),
    headers: { "Retry-After": "1" },
  };
}
