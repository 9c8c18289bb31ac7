// What the program asks of an API server. Values in, values out, so that a model of the server can stand in for it.
//
// Every call rejects with ApiError (the server said no) or ConnectionError (no answer); with the reason of
// `options.signal` when the caller gave up. Calls are retried inside where repeating them is safe, never otherwise:
// after an error with `ambiguous` set, a write may or may not have happened.
import type { KubeObject, Observed } from "../plan/objects.ts";
import type { ObjectKey, Resource } from "./resource.ts";

export interface KubeClient {
  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options?: CallOptions): Promise<Observed<T>>;

  /** All matching objects, consistent with each other and with every write finished before (resourceVersion unset). */
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;

  /**
   * What happens to matching objects after `resourceVersion`, until the server ends the stream, which it does now and then,
   * or has said nothing at all on it for `silenceMs`. Breaks off with ApiError (isExpired: list again), and with
   * ConnectionError when nothing has come for so long after something, not even the bookmark that a server sends each minute.
   */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;

  /** Creates `object` in the namespace of its metadata. */
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CreateOptions): Promise<Observed<T>>;

  /** Replaces the object named by its metadata; with a resourceVersion there, only if it is still that one. */
  replace<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<Observed<T>>;

  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<Observed<T>>;

  /** Asks for the deletion; with finalizers or a grace period the object is still there when this resolves. */
  delete(resource: Resource, key: ObjectKey, options?: DeleteOptions): Promise<void>;

  /**
   * The newest lines of what a container wrote, whatever has become of it. Lines beyond `limitBytes` are cut off, the
   * newest first: give room for all of them.
   */
  podLog(key: ObjectKey, options: LogOptions): Promise<string>;

  /** The body of a GET of any path of the server: `/version`, `/readyz`. */
  raw(path: string, options?: CallOptions): Promise<string>;
}

export interface CallOptions {
  /** For one attempt, from connecting to the last byte of the answer; default 10 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told of the headers of the answer: the server's clock in `Date`, what admission warned of in `Warning`. */
  readonly onHeaders?: (headers: Headers) => void;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects per page; all pages are read. Absent: one page with everything. */
  readonly limit?: number;
}

export interface LogOptions extends CallOptions {
  readonly tailLines: number;
  readonly limitBytes: number;
  /** Absent: the Pod's only one. */
  readonly container?: string;
}

/** Which objects of a resource. */
export interface WatchScope {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** A right that names its objects is one to list and to watch `metadata.name=NAME`. */
  readonly fieldSelector?: string;
}

export interface WatchOptions extends WatchScope {
  /** Of a list. */
  readonly resourceVersion: string;
  /** Default 90 000. */
  readonly silenceMs?: number;
  readonly signal: AbortSignal;
}

export interface WatchEvent<T extends KubeObject> {
  /** BOOKMARK: nothing has happened, and of the object there is only its resourceVersion. */
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Observed<T>;
}

export interface CreateOptions extends CallOptions {
  /** Everything is done but storing it: who would refuse the object does. */
  readonly dryRun?: boolean;
}

export interface WriteOptions extends CreateOptions {
  readonly subresource?: string;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only the object with this uid; another one of the same name is a Conflict. */
  readonly uid?: string;
  /** Delete it only as long as it is this version; any other is a Conflict. */
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

export interface ObjectList<T extends KubeObject> {
  readonly items: readonly Observed<T>[];
  /** Of the list, where a watch continues. */
  readonly resourceVersion: string;
}

export type Patch =
  /** JSON merge patch, RFC 7396. */
  | { readonly type: "merge"; readonly body: object }
  /** JSON patch, RFC 6902. */
  | { readonly type: "json"; readonly body: readonly JsonPatchOperation[] }
  /** Server-side apply: `body` is the whole intent of `fieldManager`; `force` takes fields from other managers. */
  | { readonly type: "apply"; readonly body: KubeObject; readonly fieldManager: string; readonly force?: boolean };

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly path: string; readonly from: string };
