// What the API server keeps, as etcd does: each object under its key, every change under a version of its own, and the
// latest changes in their order, from which watches are served. Objects are never changed, only replaced.
import type { Resource } from "../../lib/kube/resource.ts";
import type { KubeObject, Observed } from "../../lib/plan/objects.ts";

export type Stored = Observed<KubeObject> & { readonly spec?: unknown; readonly status?: unknown };

export interface Change {
  readonly version: number;
  readonly plural: string;
  readonly object: Stored;
  /** The one that it replaced or, where it is the last, that was deleted. */
  readonly before: Stored | undefined;
  readonly isDeletion: boolean;
}

export class Store {
  /** Of the last change. */
  version = 1;
  readonly #objects = new Map<string, Map<string, Stored>>();
  #changes: Change[] = [];
  /** Changes up to this one have been forgotten. */
  #compacted = 0;
  readonly #listeners = new Set<(change: Change) => void>();

  get(plural: string, key: string): Stored | undefined {
    return this.#objects.get(plural)?.get(key);
  }

  all(plural: string): Stored[] {
    return [...(this.#objects.get(plural)?.values() ?? [])];
  }

  kinds(): string[] {
    return [...this.#objects.keys()];
  }

  /** Stores the object under a new version; returns it as stored. */
  put(plural: string, key: string, object: Stored): Stored {
    const before = this.get(plural, key);
    const stored = this.#withNextVersion(object);
    this.#table(plural).set(key, stored);
    this.#record({ version: this.version, plural, object: stored, before, isDeletion: false });
    return stored;
  }

  remove(plural: string, key: string): void {
    const before = this.get(plural, key);
    if (before === undefined) return;
    this.#table(plural).delete(key);
    const object = this.#withNextVersion(before);
    this.#record({ version: this.version, plural, object, before, isDeletion: true });
  }

  /** What has changed after that version; undefined when that is no longer known. */
  changesAfter(version: number): readonly Change[] | undefined {
    return version < this.#compacted ? undefined : this.#changes.filter((change) => change.version > version);
  }

  /** Forgets what has changed so far. */
  compact(): void {
    this.#compacted = this.version;
    this.#changes = [];
  }

  /** Told of each change at once, until the function that this returns is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #table(plural: string): Map<string, Stored> {
    const table = this.#objects.get(plural) ?? new Map<string, Stored>();
    this.#objects.set(plural, table);
    return table;
  }

  #withNextVersion(object: Stored): Stored {
    this.version++;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
  }

  #record(change: Change): void {
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}

/** Where the store keeps an object of the resource. */
export function storeKey(resource: Resource, namespace: string | undefined, name: string): string {
  return resource.namespaced ? `${namespace}/${name}` : name;
}
