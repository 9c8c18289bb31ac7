// Requests per path, counted from the bytes of the path: open addressing over a bounded table, no strings until asked.

/** Paths counted separately; requests for any further path are counted together. */
export const maxPaths = 256;

export interface PathCount {
  path: string;
  requests: number;
}

/** Four slots a path keep the probes short. */
const slotCount = 4 * maxPaths;

export class PathCounts {
  /** Slot → index of a path, or -1. */
  readonly #slots = new Int16Array(slotCount).fill(-1);
  readonly #paths: Uint8Array[] = [];
  readonly #requests = new Float64Array(maxPaths);
  #otherRequests = 0;

  /** Counts a request for the path `bytes[start, end)` with this hash. */
  add(bytes: Uint8Array, start: number, end: number, hash: number): void {
    let slot = (hash ^ (hash >>> 16)) & (slotCount - 1);
    let index = this.#slots[slot]!;
    while (index >= 0 && !isPath(this.#paths[index]!, bytes, start, end)) {
      slot = (slot + 1) & (slotCount - 1);
      index = this.#slots[slot]!;
    }
    if (index < 0) {
      if (this.#paths.length === maxPaths) {
        this.#otherRequests++;
        return;
      }
      index = this.#paths.push(bytes.slice(start, end)) - 1;
      this.#slots[slot] = index;
    }
    this.#requests[index]!++;
  }

  /** Most requested first, then by name; last, under `other`, the requests for paths beyond the first 256. */
  list(): PathCount[] {
    const counts = this.#paths
      .map((bytes, index) => ({
        path: Buffer.from(bytes).toString("latin1"),
        requests: this.#requests[index] as number,
      }))
      .sort((a, b) => b.requests - a.requests || (a.path < b.path ? -1 : 1));
    return this.#otherRequests === 0 ? counts : [...counts, { path: "other", requests: this.#otherRequests }];
  }
}

function isPath(path: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (path.length !== end - start) return false;
  for (let i = 0; i < path.length; i++) if (path[i] !== bytes[start + i]) return false;
  return true;
}
