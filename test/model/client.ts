// KubeClient over the model of the API server: what a call asks for happens some time after the call, and the answer
// comes some time after that, unless it meets another fate.
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
} from "../../lib/kube/client.ts";
import { connectionError } from "../../lib/kube/connection-error.ts";
import type { Traffic } from "../../lib/kube/http-client.ts";
import {
  collectionPath,
  creationPath,
  type ObjectKey,
  objectPath,
  pods,
  type Resource,
} from "../../lib/kube/resource.ts";
import type { KubeObject, Observed } from "../../lib/plan/objects.ts";
import type { ApiServer } from "./api-server.ts";
import type { Fate } from "./fate.ts";
import { type Call, expired, type Method, refuse } from "./refusal.ts";
import type { Change, Stored } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";
import { eventOf } from "./watch-event.ts";
import { type Disturbance, WatchStream } from "./watch-stream.ts";

const timeoutMs = 10_000;
const slowMs = 4000;
const lateMs = { least: 500, most: 14_000 };
const silenceMs = 90_000;
const bookmarkMs = 60_000;
const serverUrl = "https://model";

/** The way between a client and the server. */
export interface Way {
  /** Asked at each call; a crash comes about by the caller's own hand. */
  readonly fateOf: (call: Call) => Fate;
  /** One way, ms. */
  readonly latencyMs: () => number;
  readonly disturbanceOf: () => Disturbance;
  readonly streamLengthMs: () => number;
  /** Told of each call that the server has carried out or refused. */
  readonly happened: (call: Call, outcome: string) => void;
  readonly crashed: () => void;
  /** Calls that have neither been answered nor lost their caller. */
  readonly underWay: { calls: number };
  /** Told when a call has deleted an object that its caller had never been shown. */
  readonly blindlyDeleted: (name: string) => void;
  /** Told of what has been created by a call that was held up on its way. */
  readonly createdLate: (uid: string) => void;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Whether the bytes of answers are counted, which takes time. */
  readonly isWeighed: boolean;
}

export class ModelClient implements KubeClient {
  readonly traffic: Traffic = { calls: new Map(), bytesSent: 0, bytesReceived: 0 };
  readonly #time: VirtualTime;
  readonly #server: ApiServer;
  readonly #way: Way;
  readonly #streams = new Set<WatchStream>();
  /** Uids of all that it has been told of. */
  readonly #shown = new Set<string>();
  #isDead = false;

  constructor(time: VirtualTime, server: ApiServer, way: Way) {
    this.#time = time;
    this.#server = server;
    this.#way = way;
  }

  /** The caller is no more: nothing is answered, and what is under way may happen or not. */
  die(): void {
    this.#isDead = true;
    for (const stream of this.#streams) stream.isFrozen = true;
    this.#streams.clear();
  }

  /** Streams go on without a word. */
  freeze(): void {
    for (const stream of this.#streams) stream.isFrozen = true;
  }

  breakStreams(): void {
    for (const stream of this.#streams) stream.end(connectionError({ method: "GET", path: "" }, serverUrl, "reset"));
  }

  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, _options?: CallOptions): Promise<Observed<T>> {
    const call = callOf("get", resource, "GET", objectPath(resource, key));
    return this.#call(call, () => this.#server.get(resource, key) as never);
  }

  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const path = `${collectionPath(resource, options.namespace)}${query(options.labelSelector)}`;
    return this.#call(callOf("list", resource, "GET", path), () => this.#server.list(resource, options) as never);
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: CreateOptions): Promise<Observed<T>> {
    const call = callOf("create", resource, "POST", creationPath(resource, object.metadata));
    const name = options?.dryRun ? { ...call, isDryRun: true } : call;
    return this.#call(name, (body) => this.#server.create(resource, body as T, options) as never, object);
  }

  replace<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<Observed<T>> {
    const { subresource } = options;
    const call = callOf("update", resource, "PUT", objectPath(resource, object.metadata, subresource), subresource);
    const replace = (body: unknown) => this.#server.replace(resource, body as T, subresource);
    return this.#call(call, replace as never, object);
  }

  patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<Observed<T>> {
    const { subresource } = options;
    const call = callOf("patch", resource, "PATCH", objectPath(resource, key, subresource), subresource);
    const apply = (body: unknown) => this.#server.patch(resource, key, { ...patch, body } as Patch, subresource);
    return this.#call(call, apply as never, patch.body);
  }

  delete(resource: Resource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const remove = () => {
      const { uid } = this.#server.get(resource, key).metadata;
      this.#server.delete(resource, key, options);
      if (!this.#shown.has(uid)) this.#way.blindlyDeleted(key.name);
    };
    return this.#call(callOf("delete", resource, "DELETE", objectPath(resource, key)), remove, options);
  }

  podLog(key: ObjectKey, options: LogOptions): Promise<string> {
    const call = callOf("get", pods, "GET", objectPath(pods, key, "log"), "log");
    return this.#call(call, () => this.#server.podLog(key, options));
  }

  raw(path: string, _options?: CallOptions): Promise<string> {
    return this.#call({ name: `get ${path}`, method: "GET", path }, () => "ok");
  }

  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const call = callOf("watch", resource, "GET", `${collectionPath(resource, options.namespace)}?watch`);
    let forget = () => {};
    const stream = new WatchStream(this.#time, () => {
      forget();
      this.#streams.delete(stream);
    });
    options.signal.addEventListener("abort", () => stream.end(options.signal.reason));
    if (this.#isDead) return stream as never;
    this.#call(call, () => {
      const missed = this.#server.store.changesAfter(Number(options.resourceVersion));
      if (missed === undefined) throw expired(call);
      this.#streams.add(stream);
      const tell = (change: Change) => {
        const event = eventOf(change, resource, options);
        if (event === undefined) return;
        if (this.#way.isWeighed) this.traffic.bytesReceived += JSON.stringify(event).length;
        stream.send(event, this.#way.latencyMs(), this.#way.disturbanceOf());
      };
      for (const change of missed) tell(change);
      forget = this.#server.store.listen(tell);
      this.#time.after(this.#way.streamLengthMs(), () => stream.isFrozen || stream.end());
      this.#keepAlive(resource, stream, options.silenceMs ?? silenceMs);
    }).catch((error: unknown) => stream.end(error));
    return stream as never;
  }

  /** Sends bookmarks; a stream that has fallen silent breaks off. */
  #keepAlive(resource: Resource, stream: WatchStream, silentForMs: number): void {
    this.#time.after(bookmarkMs, () => {
      if (!this.#streams.has(stream)) return;
      if (stream.isFrozen) {
        const error = connectionError({ method: "GET", path: resource.plural }, serverUrl, "timeout");
        this.#time.after(silentForMs - bookmarkMs, () => stream.end(error));
        return;
      }
      const object = { metadata: { resourceVersion: String(this.#server.store.version) } } as Stored;
      stream.send({ type: "BOOKMARK", object }, 0, "none");
      this.#keepAlive(resource, stream, silentForMs);
    });
  }

  #call<T>(call: NamedCall, commit: (body: unknown) => T, body?: object): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#isDead) return promise;
    const { calls } = this.traffic;
    const text = body === undefined ? undefined : JSON.stringify(body);
    calls.set(call.name, (calls.get(call.name) ?? 0) + 1);
    this.traffic.bytesSent += text?.length ?? 0;
    const fate = this.#way.fateOf(call);
    const { latencyMs, happened, underWay } = this.#way;
    if (fate === "crashBefore") {
      happened(call, "crash before");
      this.#way.crashed();
      return promise;
    }
    underWay.calls++;
    const failure = failureBefore(fate, call);
    if (failure !== undefined) {
      happened(call, fate);
      this.#answer(fate === "lost" ? timeoutMs : latencyMs(), () => reject(failure));
      return promise;
    }
    const { least, most } = lateMs;
    const wayMs = fate === "late" ? least + (most - least) * this.#way.random() : latencyMs();
    const timeout = () => reject(connectionError(call, serverUrl, "timeout"));
    if (wayMs > timeoutMs) this.#time.after(timeoutMs, () => this.#isDead || timeout());
    this.#time.after(wayMs, () => {
      let answer: () => void;
      try {
        const result = commit(text === undefined ? undefined : JSON.parse(text));
        happened(call, "done");
        if (fate === "late" && call.method === "POST" && !call.isDryRun)
          this.#way.createdLate((result as Stored).metadata.uid);
        if (this.#way.isWeighed) this.traffic.bytesReceived += JSON.stringify(result)?.length ?? 0;
        answer = () => {
          this.#show(result);
          resolve(result);
        };
      } catch (error: unknown) {
        happened(call, (error as Error).message);
        answer = () => reject(error);
      }
      if (fate === "crashAfter" && !this.#isDead) {
        underWay.calls--;
        happened(call, "crash after");
        this.#way.crashed();
      } else if (fate === "unanswered") {
        this.#answer(timeoutMs, timeout);
      } else if (fate === "failedAfterwards") {
        this.#answer(latencyMs(), () => reject(refuse(call, 500, "InternalError", "failed, afterwards")));
      } else this.#answer(fate === "slow" ? slowMs : latencyMs(), answer);
    });
    return promise;
  }

  #show(answer: unknown): void {
    const { items, metadata } = (answer ?? {}) as Partial<Stored> & { items?: readonly Stored[] };
    for (const item of items ?? []) this.#shown.add(item.metadata.uid);
    if (metadata?.uid !== undefined) this.#shown.add(metadata.uid);
  }

  #answer(delayMs: number, answer: () => void): void {
    this.#time.after(delayMs, () => {
      this.#way.underWay.calls--;
      if (!this.#isDead) answer();
    });
  }
}

interface NamedCall extends Call {
  /** By verb and resource, as in Traffic. */
  readonly name: string;
  readonly isDryRun?: boolean;
}

function callOf(verb: string, { plural }: Resource, method: Method, path: string, subresource?: string): NamedCall {
  return { name: `${verb} ${plural}${subresource === undefined ? "" : `/${subresource}`}`, method, path };
}

function failureBefore(fate: Fate, call: Call): Error | undefined {
  if (fate === "refused") return connectionError(call, serverUrl, "refused");
  if (fate === "lost") return connectionError(call, serverUrl, "timeout");
  if (fate === "throttled") return refuse(call, 429, "TooManyRequests", "too many requests, please try again later");
  if (fate === "failed") return refuse(call, 500, "InternalError", "etcdserver: leader changed");
  return undefined;
}

function query(labelSelector: string | undefined): string {
  return labelSelector === undefined ? "" : `?labelSelector=${labelSelector}`;
}
