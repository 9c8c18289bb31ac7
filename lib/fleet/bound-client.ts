// A client whose every call ends with one signal, whoever makes it: so a deadline holds for code that knows of none.
import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  LogOptions,
  ObjectList,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../kube/client.ts";
import type { ObjectKey, Resource } from "../kube/resource.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";

export class BoundClient implements KubeClient {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: CallOptions): Promise<Observed<T>> {
    return this.#client.get(resource, key, this.#bound(options));
  }

  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>> {
    return this.#client.list(resource, this.#bound(options));
  }

  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    return this.#client.watch(resource, { ...options, signal: AbortSignal.any([this.#signal, options.signal]) });
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CreateOptions): Promise<Observed<T>> {
    return this.#client.create(resource, object, this.#bound(options));
  }

  replace<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<Observed<T>> {
    return this.#client.replace(resource, object, this.#bound(options));
  }

  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<Observed<T>> {
    return this.#client.patch(resource, key, patch, this.#bound(options));
  }

  delete(resource: Resource, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    return this.#client.delete(resource, key, this.#bound(options));
  }

  podLog(key: ObjectKey, options: LogOptions): Promise<string> {
    return this.#client.podLog(key, { ...options, ...this.#bound(options) });
  }

  raw(path: string, options?: CallOptions): Promise<string> {
    return this.#client.raw(path, this.#bound(options));
  }

  #bound<T extends CallOptions>(options?: T): T & { signal: AbortSignal } {
    const signal = options?.signal === undefined ? this.#signal : AbortSignal.any([this.#signal, options.signal]);
    return { ...(options as T), signal };
  }
}
