// A Pod like those of a LoadTest, for the API server to judge in a dry run before others are made: what a podTemplate says
// may be against its rules, its quotas or its policies. The first Pods of a new LoadTest are a trial themselves.
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Refusal } from "./acceptance.ts";
import type { Pod } from "./objects.ts";
import { presentRun } from "./run.ts";
import { workerPod } from "./worker-pod.ts";
import type { World } from "./world.ts";

/** undefined when nothing in it is the user's own. */
export function trialPod(loadTest: LoadTest, spec: EffectiveSpec, image: string): Pod | undefined {
  return Object.keys(spec.podTemplate).length === 0 ? undefined : podLikeWorkers(loadTest, spec, image);
}

/** Under a name that no worker has. */
export function podLikeWorkers(loadTest: LoadTest, spec: EffectiveSpec, image: string): Pod {
  const plan = { worker: { index: 0, count: 1 } } as WorkerPlan; // nobody runs it
  const pod = workerPod(loadTest, spec, plan, { run: presentRun(loadTest).hash, attempt: 0, image });
  return { ...pod, metadata: { ...pod.metadata, name: pod.metadata.name.replace(/0$/, "dry-run") } };
}

/** Room in a quota, a namespace that ends, rights of this program: what no other Pod would change. */
const isOfOthers = /exceeded quota|because it is being terminated|^pods is forbidden: User "/;

/** Whether an answer of the API server speaks of the Pod as such. */
export function isPodRefusal({ code, said }: { code: number; said: string }): boolean {
  return code === 422 || (code === 403 && !isOfOthers.test(said));
}

/** What the API server said of the LoadTest's trial Pod, if it refused it. */
export function refusePod({ metadata }: LoadTest, { podRefusals }: World): Refusal | undefined {
  const words = podRefusals?.get(metadata.uid) ?? undefined;
  return words === undefined ? undefined : { reason: "PodTemplateInvalid", message: `spec.podTemplate: ${words}` };
}
