// Who is told of an installation or its removal as it goes on.
import type { KubeObject } from "../plan/objects.ts";

/** What has become of an object, or would: `untried` and `kept` come with a reason. */
export type Fate = "created" | "changed" | "unchanged" | "untried" | "deleted" | "kept";

export interface Watcher {
  /** A step begins; it ends with `done`, or with an error of the whole. */
  begin(step: string): void;
  /** What it is waiting for at present. */
  waiting(words: string): void;
  tell(object: KubeObject, fate: Fate, reason?: string): void;
  done(words: string): void;
}
