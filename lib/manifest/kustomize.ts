// The extension as a kustomize base: a file for each step, in the order in which they are applied.
import { stringify } from "yaml";
import { type ExtensionOptions, extensionSteps } from "./extension.ts";
import { renderYaml } from "./yaml.ts";

/** The image also stands in an environment variable and in a policy, which kustomize does not know as one. */
const head = "# Another image, number of replicas or place: written anew by loadtest install --kustomize.\n";

/** File name → content. */
export function kustomizeBase(options: ExtensionOptions): Record<string, string> {
  const files = Object.fromEntries(
    extensionSteps(options).map(({ name, objects }) => [`${name}.yaml`, renderYaml(objects)]),
  );
  const base = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: Object.keys(files) };
  return { "kustomization.yaml": head + stringify(base), ...files };
}
