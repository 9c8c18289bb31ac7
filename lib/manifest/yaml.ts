// Objects as text, in the form of everything under manifests/.
import { stringify } from "yaml";

/** Objects as YAML documents, one after the other. */
export function renderYaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })).join("---\n");
}
