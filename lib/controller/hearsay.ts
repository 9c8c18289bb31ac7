// What events and lists have told so far, to know whom an event concerns, whether there is news in it, and whether a
// LoadTest that has just come may get its Pods at once. Each poll begins anew.
import type { WatchEvent } from "../kube/client.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { loadTestLabel, planAnnotation } from "../plan/names.ts";
import type { KubeObject, Pod } from "../plan/objects.ts";
import { isStarting, troubleOf } from "../plan/trouble.ts";
import type { Action } from "../plan/world.ts";
import { nowMs } from "../runtime/clock.ts";

/** After its creation, with clocks that are a little apart. */
const newForMs = 5000;

export class Hearsay {
  /** LoadTests by the Canary that they name: whom to ring when it changes. */
  readonly #byCanary = new Map<string, Set<string>>();
  /** What of LoadTests and Pods was last seen that matters: an event without news is an echo of our own writes. */
  readonly #seen = new Map<string, string>();
  /** LoadTests just heard of for the first time, until they are worked on. */
  readonly #fresh = new Map<string, LoadTest>();
  /** Names of the Pods that bear a LoadTest's name, as far as they have been heard of. */
  readonly #podNames = new Map<string, Set<string>>();
  /** Whether those are all. */
  #knowsPods = false;
  /** What has been heard since lists were asked for, until they come. */
  #since: (() => void)[] | undefined;

  /** Forgets everything but who is fresh. */
  forget(): void {
    this.#byCanary.clear();
    this.#seen.clear();
    this.#podNames.clear();
    this.#knowsPods = false;
  }

  /** Lists are asked for: what is heard from now on may be newer than they are. */
  expectLists(): void {
    this.#since = [];
  }

  /** What the lists tell, which with what has been heard since they were asked for is all that there is. */
  learn(loadTests: readonly LoadTest[], pods: readonly Pod[]): void {
    const since = this.#since ?? [];
    this.#since = undefined;
    this.forget();
    for (const loadTest of loadTests) this.note(loadTest);
    for (const pod of pods) this.notePod(pod, false);
    for (const again of since) again();
    this.#knowsPods = true;
  }

  /** Remembers whom it concerns; returns whether there is news in it. */
  note(loadTest: LoadTest): boolean {
    this.#since?.push(() => this.note(loadTest));
    const { metadata, spec } = loadTest;
    const key = keyOf({ metadata });
    if (spec.canary !== undefined) {
      const canary = `${metadata.namespace}/${spec.canary}`;
      this.#byCanary.set(canary, (this.#byCanary.get(canary) ?? new Set()).add(key));
    }
    return this.#isNews([`LoadTest ${key}`, `${metadata.uid} ${metadata.generation} ${metadata.deletionTimestamp}`]);
  }

  /** Notes what a watch says of it; fresh: it has just come, and nobody has worked on it. */
  hear(loadTest: LoadTest, type: WatchEvent<KubeObject>["type"]): "none" | "news" | "fresh" {
    const isNews = this.note(loadTest);
    const isFresh = isNews && type === "ADDED" && loadTest.status === undefined && isNew(loadTest);
    if (isFresh) this.#fresh.set(keyOf(loadTest), loadTest);
    else this.#fresh.delete(keyOf(loadTest));
    return isFresh ? "fresh" : isNews ? "news" : "none";
  }

  /** Remembers that it is there, or not; returns whether there is news in it. */
  notePod(pod: Pod, isDeleted: boolean): boolean {
    this.#since?.push(() => this.notePod(pod, isDeleted));
    const owner = ownerKeyOf(pod);
    const names = this.#podNames.get(owner) ?? new Set();
    if (isDeleted) names.delete(pod.metadata.name);
    else names.add(pod.metadata.name);
    this.#podNames.set(owner, names);
    return this.#isNews(podNews(pod, isDeleted));
  }

  /** The event of the Pod that an action of ours leaves behind is its echo. */
  noteOwn(action: Action, present: readonly Pod[]): void {
    if (action.kind === "createPod") this.notePod(action.pod, false);
    if (action.kind !== "setPlan") return;
    for (const pod of present.filter(({ metadata }) => metadata.uid === action.uid)) {
      const annotations = { ...pod.metadata.annotations, [planAnnotation]: action.plan };
      this.notePod({ ...pod, metadata: { ...pod.metadata, annotations } }, false);
    }
  }

  /** The LoadTest, once, if it is fresh and there are no Pods that bear its name. */
  takeFresh(key: string): LoadTest | undefined {
    const loadTest = this.#fresh.get(key);
    this.#fresh.delete(key);
    const hasPods = (this.#podNames.get(key)?.size ?? 0) > 0;
    if (loadTest === undefined || !isNew(loadTest)) return undefined;
    return hasPods || !this.#knowsPods ? undefined : loadTest;
  }

  keysOfCanary(canary: string): Iterable<string> {
    return this.#byCanary.get(canary) ?? [];
  }

  #isNews([key, news]: readonly [key: string, news: string]): boolean {
    if (this.#seen.get(key) === news) return false;
    this.#seen.set(key, news);
    return true;
  }
}

/** Whether it has just been created: what a watch makes up for after a silence may be long gone. */
function isNew({ metadata }: LoadTest): boolean {
  return Math.abs(nowMs() - Date.parse(metadata.creationTimestamp)) < newForMs;
}

/** What of a Pod decides about anything. */
function podNews(pod: Pod, isDeleted: boolean): [key: string, news: string] {
  const { metadata, status } = pod;
  const { phase = "Pending", reason, containerStatuses = [] } = status ?? {};
  const trouble = troubleOf([pod]);
  // That its node is about to start it decides about nothing: should that take long, a later look will see.
  const started = isStarting(pod) ? [] : containerStatuses;
  const states = started.map(({ restartCount, state, lastState }) => [restartCount, state, lastState]);
  const isGoing = metadata.deletionTimestamp !== undefined;
  const planHash = String(Bun.hash(metadata.annotations?.[planAnnotation] ?? ""));
  const news = [isDeleted, isGoing, phase, reason, trouble, states, planHash];
  return [`Pod ${keyOf({ metadata })}`, JSON.stringify(news)];
}

/** `namespace/name`. */
export function keyOf({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The key of the LoadTest whose name a Pod bears. */
export function ownerKeyOf({
  metadata,
}: {
  metadata: { namespace?: string; labels?: Record<string, string> };
}): string {
  return `${metadata.namespace}/${metadata.labels?.[loadTestLabel]}`;
}
