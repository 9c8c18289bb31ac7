// What an API server would not say. A cluster that leaves doubts is never called the same as another.
import { ApiError } from "../kube/api-error.ts";

export interface Doubt {
  /** Such as `Secret loadtest-system/loadtest-webhook-tls`. */
  object: string;
  reason: string;
}

export class Doubts {
  readonly list: Doubt[] = [];

  add(object: string, reason: string): void {
    this.list.push({ object, reason });
  }

  /** What `ask` resolves with, or `fallback` when the server refuses to answer. Rejects with ConnectionError. */
  async unlessRefused<T, F>(object: string, fallback: F, ask: () => Promise<T>): Promise<T | F> {
    try {
      return await ask();
    } catch (error: unknown) {
      if (!(error instanceof ApiError)) throw error;
      this.add(object, error.message);
      return fallback;
    }
  }
}
