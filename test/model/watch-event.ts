// What a watch shows of a change.
import type { WatchScope } from "../../lib/kube/client.ts";
import type { Resource } from "../../lib/kube/resource.ts";
import { selects, selectsByFields } from "./selectors.ts";
import type { Change, Stored } from "./store.ts";
import type { Event } from "./watch-stream.ts";

/** The change as a watch of these options shows it: an object that comes to be selected is ADDED. */
export function eventOf(
  change: Change,
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: WatchScope,
): Event | undefined {
  const { object, before, isDeletion, plural } = change;
  if (plural !== resource.plural) return undefined;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return undefined;
  const isSelected = (one: Stored) =>
    selects(labelSelector, one.metadata.labels) && selectsByFields(fieldSelector, one);
  const was = before !== undefined && isSelected(before);
  const is = !isDeletion && isSelected(object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  return was ? { type: "DELETED", object } : undefined;
}
