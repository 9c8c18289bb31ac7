// The proof that admission works, from end to end: two objects that are sent and not stored. One must come back with what
// the mutating webhook fills in; the other one is such that nobody but the validating webhook refuses it.
import { ApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { canaries, loadtests } from "../kube/resource.ts";
import { apiVersion } from "../loadtest/api-group.ts";
import type { Canary } from "../loadtest/canary.ts";
import { defaultPaths } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { defaulter, validator } from "../manifest/names.ts";
import type { KubeObject } from "../plan/objects.ts";

/** Longer than the validator takes a prefix to be, and not too long for the API server, which cuts it off. */
const prefixLength = 250;

/** What does not work, as a sentence; undefined: all does. Nothing is stored. */
export async function probeAdmission(client: KubeClient, namespace: string): Promise<string | undefined> {
  return (await probeGood(client, namespace)) ?? (await probeBad(client, namespace));
}

async function probeGood(client: KubeClient, namespace: string): Promise<string | undefined> {
  const loadTest = {
    apiVersion,
    kind: "LoadTest",
    metadata: { name: "", generateName: "probe-", namespace },
    spec: { service: "probe", scheme: "http", requestsPerSecond: 1, duration: "1s" },
  } as unknown as LoadTest & KubeObject;
  const answer = await attempt(() => client.create(loadtests, loadTest, { dryRun: true }));
  if (answer instanceof ApiError) return `a good LoadTest is refused: ${answer.said}`;
  if (JSON.stringify(answer.spec.paths) === JSON.stringify(defaultPaths)) return undefined;
  return `a LoadTest without paths is not given any: the API server did not get an answer from the webhook ${defaulter.webhook}`;
}

/** Bad, as the validator alone knows: the kind's own rules let it pass. */
export function badCanary(namespace: string): Canary & KubeObject {
  return {
    apiVersion,
    kind: "Canary",
    metadata: { name: "", generateName: "p".repeat(prefixLength), namespace },
    spec: { backends: [{ service: "probe", percent: 100 }] },
  } as unknown as Canary & KubeObject;
}

async function probeBad(client: KubeClient, namespace: string): Promise<string | undefined> {
  const answer = await attempt(() => client.create(canaries, badCanary(namespace), { dryRun: true }));
  const call = `the webhook ${validator.webhook}`;
  if (!(answer instanceof ApiError))
    return `a bad Canary is accepted: the API server did not get an answer from ${call}`;
  if (answer.said.startsWith(`admission webhook "${validator.webhook}" denied`)) return undefined;
  return `a bad Canary is refused, but not by ${call}: ${answer.said}`;
}

/** The object as it would be stored, or the refusal. */
async function attempt<T>(create: () => Promise<T>): Promise<T | ApiError> {
  try {
    return await create();
  } catch (error: unknown) {
    if (error instanceof ApiError && error.code !== 429) return error;
    throw error;
  }
}
