// Every file of manifests/ as text, rendered from code. `scripts/render` writes them, a test compares them.
import { stringify } from "yaml";
import { controllerObjects } from "./controller.ts";
import { loadTestResource } from "./custom-resource.ts";
import { sampleLoadTest } from "./sample.ts";

/** Path below manifests/ → content. */
export function renderManifests(): Record<string, string> {
  return {
    "loadtest-resource.yaml": renderYaml([loadTestResource()]),
    "controller.yaml": renderYaml(controllerObjects({ image: "localhost/loadtest:dev" })),
    "samples/loadtest.yaml": renderYaml([sampleLoadTest]),
  };
}

/** Objects as YAML documents, one after the other. */
export function renderYaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 120, aliasDuplicateObjects: false })).join("---\n");
}
