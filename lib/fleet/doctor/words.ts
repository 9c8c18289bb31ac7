// Words that findings share.
import type { Placement } from "../../manifest/extension.ts";

/** What puts every object of the extension right again. */
export function installAgain(placement: Placement): string {
  switch (placement.kind) {
    case "cluster":
      return "loadtest install";
    case "namespaced":
      return `loadtest install --namespaced ${placement.namespace}`;
    case "outOfCluster":
      return `loadtest install --out-of-cluster ${placement.url}`;
  }
}

/** `3 Pods`, `a Pod`. */
export function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

/** The first few of a list, and how many there are beside them. */
export function several(words: readonly string[], most = 5): string {
  const rest = words.length - most;
  return rest > 0 ? `${words.slice(0, most).join(", ")} and ${rest} more` : words.join(", ");
}

/** `12 s`, `5 min`, `3 h`, `2 d`: the largest unit that there is one of. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
