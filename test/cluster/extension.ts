// The extension on the cluster under test, as a user applies it: kinds, controller, registrations.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { eventually, kubectl, kubectlJson } from "./kubectl.ts";

export const manifestFile = (name: string) => join(import.meta.dir, `../../manifests/${name}.yaml`);
const manifest = (name: string) => ["-f", manifestFile(name)];
const kinds = [
  ...manifest("loadtest-resource"),
  ...manifest("loadtest-result-resource"),
  ...manifest("canary-resource"),
];
const registrations = [...manifest("validating-controller"), ...manifest("mutating-controller")];
export const extensionNamespace = "loadtest-system";

/** What is in a file of manifests/. */
export function objectsIn(name: string): KubeObject[] {
  return parseAllDocuments(readFileSync(manifestFile(name), "utf8")).map((document) => document.toJS());
}

/** All of it, with admission at work. */
export async function installExtension(): Promise<void> {
  await installKinds();
  await installController();
  await installWebhooks();
}

export async function installKinds(): Promise<void> {
  await kubectl(["apply", ...kinds]);
  const names = ["loadtests", "loadtestresults", "canaries"].map((plural) => `crd/${plural}.beta.kuar.com`);
  await kubectl(["wait", "--for=condition=Established", ...names, "--timeout=30s"]);
}

export async function installController(): Promise<void> {
  await kubectl(["apply", ...manifest("controller")]);
  await kubectl(["-n", extensionNamespace, "rollout", "status", "deployment/loadtest", "--timeout=90s"]);
}

/** Registers the webhooks, and returns when the API server's calls succeed. */
export async function installWebhooks(): Promise<void> {
  await kubectl(["apply", ...registrations]);
  const wait = ["wait", "--for=condition=ServingCertificateReady", "service/loadtest", "--timeout=60s"];
  await kubectl(["-n", extensionNamespace, ...wait]);
}

export async function removeWebhooks(): Promise<void> {
  await kubectl(["delete", "--ignore-not-found", ...registrations]);
}

/** After the namespaces of a test, which may be gone already: its controller ends what they hold. */
export async function removeExtension(...namespaces: string[]): Promise<void> {
  if (namespaces.length > 0) await kubectl(["delete", "namespace", ...namespaces, "--ignore-not-found"]);
  await removeWebhooks();
  await kubectl(["delete", "--ignore-not-found", ...manifest("controller")]);
  await kubectl(["delete", "--ignore-not-found", ...kinds]);
}

interface PodList {
  items: { metadata: { name: string; deletionTimestamp?: string }; status: { podIP?: string } }[];
}

const allPods = () =>
  kubectlJson<PodList>(["get", "pods", "-n", extensionNamespace, "-l", "app.kubernetes.io/component=controller"]);

/** The controller's Pods that are not on their way out. */
export async function controllerPods(): Promise<{ name: string; ip: string }[]> {
  return (await allPods()).items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({ name: metadata.name, ip: status.podIP ?? "" }));
}

/** Sets the number of replicas, and returns when there are just so many, ready. */
export async function scale(replicas: number): Promise<void> {
  await kubectl(["-n", extensionNamespace, "scale", "deployment/loadtest", `--replicas=${replicas}`]);
  if (replicas > 0)
    await kubectl(["-n", extensionNamespace, "rollout", "status", "deployment/loadtest", "--timeout=90s"]);
  await eventually(allPods, ({ items }) => items.length === replicas); // those that drain, too
}
