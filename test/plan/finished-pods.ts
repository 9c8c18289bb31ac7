// Worker Pods that have ended, as a kubelet shows them, from the plans of a LoadTest.

import { effectiveSpec } from "../../lib/loadtest/defaults.ts";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { compileWorkerPlans, serviceBackends } from "../../lib/plan/compile.ts";
import type { ContainerState, ContainerStatus, Observed, Pod } from "../../lib/plan/objects.ts";
import { presentRun } from "../../lib/plan/run.ts";
import { workerPod } from "../../lib/plan/worker-pod.ts";
import type { WorkerRecording } from "../../lib/stats/recording.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { loadTest as endlessLoadTest } from "./cluster.ts";

export function loadTest(spec: Partial<LoadTestSpec> = {}): LoadTest {
  return endlessLoadTest({ duration: "2s", ...spec });
}

/** The Pods of a LoadTest through `backends` Services that share its requests evenly. */
export function workerPods(test: LoadTest, backends = 1): Observed<Pod>[] {
  const spec = effectiveSpec(test.spec);
  const shares = Array.from({ length: backends }, (_, index) => ({
    service: `s${index}`,
    percent: Math.floor(100 / backends) + (index < 100 % backends ? 1 : 0),
  }));
  const canary = backends === 1 ? undefined : { backends: shares };
  const through = backends === 1 ? spec : { ...spec, service: undefined };
  const plans = compileWorkerPlans(
    spec,
    { backends: serviceBackends(through, canary, "ns"), tls: { caFiles: [], insecure: false } },
    { generation: 1, pacing: "relaxed", seed: 7 },
  );
  const post = { run: presentRun(test).hash, attempt: 0, image: "loadtest:test" };
  return plans.map((plan, index) => {
    const pod = workerPod(test, spec, { ...plan, startAtMs: Date.UTC(2030, 0, 1) }, post);
    return { ...pod, metadata: { ...pod.metadata, uid: `p${index}` } } as Observed<Pod>;
  });
}

type Termination = NonNullable<ContainerState["terminated"]>;

/** An epoch that ended with this message, or that left none. */
export function termination(message?: string, more: Partial<Termination> = {}): Termination {
  return { exitCode: message === undefined ? 137 : 0, ...(message === undefined ? {} : { message }), ...more };
}

/** The Pod after these epochs, the last of which ended it. */
export function ended(pod: Observed<Pod>, phase: "Succeeded" | "Failed", ...epochs: Termination[]): Observed<Pod> {
  const [last, before] = epochs.toReversed();
  const status: ContainerStatus = {
    name: "worker",
    ready: false,
    restartCount: Math.max(0, epochs.length - 1),
    ...(last === undefined ? {} : { state: { terminated: last } }),
    ...(before === undefined ? {} : { lastState: { terminated: before } }),
  };
  return { ...pod, status: { phase, containerStatuses: last === undefined ? [] : [status] } };
}

export function succeeded(pod: Observed<Pod>, recording: WorkerRecording): Observed<Pod> {
  return ended(pod, "Succeeded", termination(formatTerminationMessage(recording)));
}
