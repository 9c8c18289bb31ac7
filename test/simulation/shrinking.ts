// A history that ends badly, cut down to as few steps as still end badly.
import type { History } from "./history.ts";

/** @param isBad Of the history given, true. */
export function shrink(history: History, isBad: (history: History) => boolean): History {
  let steps = history.steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < steps.length; ) {
      const without = [...steps.slice(0, at), ...steps.slice(at + size)];
      if (isBad({ ...history, steps: without })) steps = without;
      else at += size;
    }
  }
  return { ...history, steps };
}
