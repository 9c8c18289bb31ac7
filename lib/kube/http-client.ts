// KubeClient over HTTPS: each method says what to ask; `#call` is the only one that asks, but for watches.
import type { KubeObject, Observed } from "../plan/objects.ts";
import { sleep } from "../runtime/clock.ts";
import { isExpired } from "./api-error.ts";
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
} from "./client.ts";
import type { Connection } from "./connection.ts";
import { connectionError } from "./connection-error.ts";
import { type ApiRequest, exchange } from "./exchange.ts";
import {
  apiVersionOf,
  collectionPath,
  creationPath,
  type ObjectKey,
  objectPath,
  pods,
  type Resource,
} from "./resource.ts";
import { retryDelayMs } from "./retry.ts";
import { watchStream } from "./watch.ts";

const defaultTimeoutMs = 10_000;

const patchContentTypes: Record<Patch["type"], string> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml", // JSON is YAML
};

/** Attempts and body bytes so far. */
export interface Traffic {
  /** By verb and resource, as rights are written: `patch loadtests/status`. */
  calls: Map<string, number>;
  bytesSent: number;
  bytesReceived: number;
}

interface ListPage<T extends KubeObject> {
  metadata: { resourceVersion?: string; continue?: string };
  items: Observed<T>[] | null;
}

export class HttpKubeClient implements KubeClient {
  readonly traffic: Traffic = { calls: new Map(), bytesSent: 0, bytesReceived: 0 };
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: CallOptions = {}): Promise<Observed<T>> {
    return this.#json(callName("get", resource), { method: "GET", path: objectPath(resource, key) }, options);
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    try {
      return await this.#listPages(resource, options);
    } catch (error: unknown) {
      if (!isExpired(error)) throw error;
      const { limit: _, ...unpaged } = options; // the pages outlived their snapshot; one page cannot
      return this.#listPages(resource, unpaged);
    }
  }

  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion } = options;
    const parameters = { watch: "1", allowWatchBookmarks: "true", labelSelector, fieldSelector, resourceVersion };
    const request = {
      method: "GET",
      path: collectionPath(resource, namespace),
      query: formatQuery(parameters),
    } as const;
    this.#count(callName("watch", resource));
    return watchStream<T>(this.#connection, request, options, (bytes) => {
      this.traffic.bytesReceived += bytes;
    });
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T, options: CreateOptions = {}): Promise<Observed<T>> {
    const path = creationPath(resource, object.metadata);
    const query = formatQuery(dryRunOf(options));
    return this.#json(callName("create", resource), { method: "POST", path, query, ...jsonBody(object) }, options);
  }

  replace<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<Observed<T>> {
    const { subresource } = options;
    const path = objectPath(resource, object.metadata, subresource);
    const request = { method: "PUT", path, query: formatQuery(dryRunOf(options)), ...jsonBody(object) } as const;
    return this.#json(callName("update", resource, subresource), request, options);
  }

  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<Observed<T>> {
    const query =
      patch.type === "apply" ? { fieldManager: patch.fieldManager, force: String(patch.force ?? false) } : {};
    const { subresource } = options;
    const path = objectPath(resource, key, subresource);
    const body = { body: JSON.stringify(patch.body), contentType: patchContentTypes[patch.type] };
    const request = { method: "PATCH", path, query: formatQuery({ ...query, ...dryRunOf(options) }), ...body } as const;
    return this.#json(callName("patch", resource, subresource), request, options);
  }

  async delete(resource: Resource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds,
      propagationPolicy,
      preconditions: { uid, resourceVersion },
    };
    const request = { method: "DELETE", path: objectPath(resource, key), ...jsonBody(body) } as const;
    await this.#call(callName("delete", resource), request, options);
  }

  podLog(key: ObjectKey, options: LogOptions): Promise<string> {
    const { tailLines, limitBytes, container } = options;
    const query = formatQuery({ tailLines, limitBytes, container });
    return this.#call(
      callName("get", pods, "log"),
      { method: "GET", path: objectPath(pods, key, "log"), query },
      options,
    );
  }

  raw(path: string, options: CallOptions = {}): Promise<string> {
    return this.#call(`get ${path}`, { method: "GET", path }, options);
  }

  async #listPages<T extends KubeObject>(resource: Resource<T>, options: ListOptions): Promise<ObjectList<T>> {
    const { namespace, labelSelector, fieldSelector, limit } = options;
    const items: Observed<T>[] = [];
    let resume: string | undefined;
    for (;;) {
      const query = formatQuery({ labelSelector, fieldSelector, limit, continue: resume });
      const path = collectionPath(resource, namespace);
      const page: ListPage<T> = await this.#json(callName("list", resource), { method: "GET", path, query }, options);
      const type = { apiVersion: apiVersionOf(resource), kind: resource.kind }; // items of built-in kinds come without
      for (const item of page.items ?? []) {
        delete (item.metadata as { managedFields?: object }).managedFields; // half of an object, and read by nobody
        items.push({ ...type, ...item });
      }
      resume = page.metadata.continue;
      if (!resume) return { items, resourceVersion: page.metadata.resourceVersion ?? "" };
    }
  }

  async #json<T>(name: string, request: ApiRequest, options: CallOptions): Promise<T> {
    const text = await this.#call(name, request, options);
    try {
      return JSON.parse(text);
    } catch (error: unknown) {
      throw connectionError(request, this.#connection.serverUrl, "malformed", error);
    }
  }

  #count(name: string): void {
    this.traffic.calls.set(name, (this.traffic.calls.get(name) ?? 0) + 1);
  }

  async #call(name: string, request: ApiRequest, { signal, ...given }: CallOptions): Promise<string> {
    const timeoutMs = given.timeoutMs ?? this.#connection.requestTimeoutMs ?? defaultTimeoutMs;
    const options = { ...given, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    let waitedMs = 0;
    for (let attempt = 1; ; attempt++) {
      this.#count(name);
      this.traffic.bytesSent += request.body === undefined ? 0 : Buffer.byteLength(request.body);
      try {
        const body = await exchange(this.#connection, request, options);
        this.traffic.bytesReceived += body.byteLength;
        return new TextDecoder().decode(body);
      } catch (error: unknown) {
        const delayMs = retryDelayMs(error, request.method, attempt, waitedMs);
        if (delayMs === undefined) throw error;
        await sleep(delayMs, signal);
        signal?.throwIfAborted();
        waitedMs += delayMs;
      }
    }
  }
}

function dryRunOf({ dryRun }: CreateOptions): { dryRun?: "All" } {
  return dryRun === true ? { dryRun: "All" } : {};
}

function callName(verb: string, { plural }: Resource, subresource?: string): string {
  return subresource === undefined ? `${verb} ${plural}` : `${verb} ${plural}/${subresource}`;
}

function jsonBody(body: object): Pick<ApiRequest, "body" | "contentType"> {
  return { body: JSON.stringify(body), contentType: "application/json" };
}

function formatQuery(parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}
