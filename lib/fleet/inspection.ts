// One cluster, as it is and as this version would have it: everything that `diff` compares and `sync` acts on.
import { type Secret, secrets } from "../cert/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { find } from "../kube/find.ts";
import type { ExtensionOptions } from "../manifest/extension.ts";
import { extensionNamespace, servingSecret } from "../manifest/names.ts";
import { networkPolicies } from "../manifest/network-policy.ts";
import type { KubeObject } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import type { Cluster } from "./clusters.ts";
import { type Doubt, Doubts } from "./doubts.ts";
import { type Examined, examine } from "./dry-run.ts";
import { type Extra, findExtras, objectsOf } from "./extras.ts";
import { differencesOf, type FieldDifference } from "./field-difference.ts";
import {
  expectedInstallation,
  type FoundInstallation,
  foundInstallation,
  homeOf,
  type WantedInstallation,
} from "./installation.ts";
import { formatObject } from "./resources.ts";
import { readImageDigests, readTraces } from "./traces.ts";
import { bundleDifferences, type CertificateFact, certificateFacts } from "./trust.ts";

export interface WantedState {
  installation: WantedInstallation;
  /** LoadTests and Canaries that are to be there. */
  objects: readonly KubeObject[];
}

export interface ObjectDifference extends FieldDifference {
  /** Such as `Deployment loadtest-system/loadtest`. */
  object: string;
}

export interface Inspection {
  /** Of the API server. */
  version: string;
  told: WantedInstallation;
  found: FoundInstallation;
  expected: ExtensionOptions;
  /** Of the extension in the order of installing, optional ones that are there, then what the fleet file names. */
  objects: readonly Examined[];
  /** What no installation has by itself, there or not. */
  optional: readonly Examined[];
  extras: readonly Extra[];
  /** From what is wanted. */
  differences: readonly ObjectDifference[];
  doubts: readonly Doubt[];
  certificates: readonly CertificateFact[];
  /** Of what the controllers run, as the container runtimes name it; empty: not known. */
  imageDigests: readonly string[];
}

/** Rejects with ConnectionError, and when the cluster will not say how the extension is installed. */
export async function inspect({ client, version }: Cluster, wanted: WantedState): Promise<Inspection> {
  const doubts = new Doubts();
  const traces = await readTraces(client);
  const found = foundInstallation(traces, wanted.installation);
  const expected = expectedInstallation(wanted.installation, found);
  const home = homeOf(expected.placement);
  const servingKey = { namespace: extensionNamespace, name: servingSecret };
  const [own, optional, others, extras, served, imageDigests] = await Promise.all([
    examineAll(client, objectsOf(expected), doubts),
    examineAll(client, policiesIn(home), doubts),
    examineAll(client, wanted.objects, doubts),
    findExtras(client, expected, doubts),
    doubts.unlessRefused("the serving certificate", undefined, () => find<Secret>(client, secrets, servingKey)),
    doubts.unlessRefused("the controllers' Pods", [], () => readImageDigests(client, home)),
  ]);
  const objects = [...own, ...optional.filter(({ live }) => live !== undefined), ...others];
  const bundles = traces.webhooks.map((registration) =>
    placedAt(formatObject(registration), bundleDifferences(registration, served, nowMs())),
  );
  return {
    version,
    told: wanted.installation,
    found,
    expected,
    objects,
    optional,
    extras,
    differences: [
      ...(own.some(({ live }) => live !== undefined) ? objects.flatMap(differencesIn) : [notInstalled]),
      ...bundles.flat(),
      ...extras.flatMap(({ object, what }) => placedAt(formatObject(object), [{ field: "", found: what }])),
    ],
    doubts: doubts.list,
    certificates: certificateFacts(traces.webhooks, served),
    imageDigests,
  };
}

async function examineAll(client: KubeClient, wanted: readonly KubeObject[], doubts: Doubts): Promise<Examined[]> {
  const examined = await Promise.all(wanted.map((object) => examine(client, object)));
  for (const { wanted: object, doubt } of examined) if (doubt !== undefined) doubts.add(formatObject(object), doubt);
  return examined;
}

/** In place of everything that is missing then. */
const notInstalled: ObjectDifference = { object: "the extension", field: "", wanted: "is installed" };

function differencesIn(examined: Examined): ObjectDifference[] {
  return placedAt(formatObject(examined.wanted), [...examined.differences, ...storedVersions(examined)]);
}

function policiesIn(namespace: string): KubeObject[] {
  return networkPolicies().map((policy) => ({ ...policy, metadata: { ...policy.metadata, namespace } }));
}

/** In which versions objects may be stored: of others than ours, this program knows nothing. */
function storedVersions({ wanted, live }: Examined): FieldDifference[] {
  if (wanted.kind !== "CustomResourceDefinition" || live === undefined) return [];
  const { versions } = (wanted as KubeObject & { spec: { versions: { name: string; storage: boolean }[] } }).spec;
  const stored = (live as KubeObject & { status?: { storedVersions?: string[] } }).status?.storedVersions ?? [];
  const ours = versions.filter(({ storage }) => storage).map(({ name }) => name);
  return differencesOf({ status: { storedVersions: stored } }, { status: { storedVersions: ours } });
}

function placedAt(object: string, differences: readonly FieldDifference[]): ObjectDifference[] {
  return differences.map((difference) => ({ object, ...difference }));
}
