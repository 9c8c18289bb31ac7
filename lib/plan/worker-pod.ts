// The Pod of one worker: restricted, without a token, and ended by the kubelet should everybody else be gone.
import type { WorkerPlan } from "../load/worker-plan.ts";
import { apiVersion } from "../loadtest/api-group.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { workerLabels, workerMetricsPort } from "./metrics-service.ts";
import { valueMounts } from "./mounts.ts";
import {
  attemptLabel,
  loadTestLabel,
  planAnnotation,
  podAnnotation,
  runLabel,
  workerLabel,
  workerPodName,
} from "./names.ts";
import type { Pod, Volume } from "./objects.ts";
import { podForm, podSettings, workerResources } from "./pod-settings.ts";
import { restrictedContainer, restrictedPod } from "./restricted.ts";
import { workerContainer } from "./worker-status.ts";

const planFolder = "/etc/loadtest";
const clusterCaFolder = "/etc/loadtest-ca/cluster";
const clusterCaFile = "ca.crt";
const checkpointFolder = "/var/lib/loadtest";
const flags = {
  "--plan": `${planFolder}/plan.json`,
  "--checkpoint": `${checkpointFolder}/checkpoint`,
  "--metrics-port": String(workerMetricsPort),
};

/** Where a worker Pod finds the authorities to trust, beside the public ones. */
export function workerCaFiles({ scheme, caFile }: EffectiveSpec): string[] {
  if (scheme === "http") return [];
  const cluster = `${clusterCaFolder}/${clusterCaFile}`;
  return caFile === undefined ? [cluster] : [cluster, caFile];
}

/** Longest time from a Pod's creation to its first request, unless the spec says so; it bounds the Pod's life. */
const startDeadlineSeconds = 600;
const reserveSeconds = 60;

export interface Post {
  /** Hash of the run. */
  run: string;
  /** How many had the seat before. */
  attempt: number;
  image: string;
}

/** The Pod of the worker with this plan. */
export function workerPod(loadTest: LoadTest, spec: EffectiveSpec, plan: WorkerPlan, post: Post): Pod {
  const { name, namespace, uid } = loadTest.metadata;
  const { run, attempt, image } = post;
  const { labels, annotations, securityContext, ...settings } = podSettings(spec.podTemplate, name);
  const values = valueMounts(spec.mountedKeys);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: workerPodName(name, run, plan.worker.index, attempt),
      namespace,
      labels: {
        ...labels,
        ...workerLabels,
        [loadTestLabel]: name,
        [runLabel]: run,
        [workerLabel]: String(plan.worker.index),
        ...(attempt === 0 ? {} : { [attemptLabel]: String(attempt) }),
      },
      annotations: { ...annotations, [podAnnotation]: podForm(spec), [planAnnotation]: JSON.stringify(plan) },
      ownerReferences: [{ apiVersion, kind: "LoadTest", name, uid, controller: true }],
    },
    spec: {
      ...settings,
      restartPolicy: "OnFailure",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 15,
      ...(spec.durationNs === undefined ? {} : { activeDeadlineSeconds: deadlineSeconds(spec, spec.durationNs) }),
      securityContext: { ...restrictedPod, ...securityContext },
      containers: [
        {
          name: workerContainer,
          image,
          imagePullPolicy: "IfNotPresent",
          args: ["worker", ...Object.entries(flags).flat()],
          ports: [{ name: "metrics", containerPort: workerMetricsPort }],
          resources: workerResources(spec.podTemplate.resources),
          securityContext: restrictedContainer,
          volumeMounts: [
            { name: "plan", mountPath: planFolder, readOnly: true },
            { name: "cluster-ca", mountPath: clusterCaFolder, readOnly: true },
            { name: "checkpoint", mountPath: checkpointFolder },
            ...values.mounts,
          ],
        },
      ],
      volumes: [...ownVolumes(), ...values.volumes],
    },
  };
}

/** Pauses and edits may outlive it: the worker is then replaced. The last responses take a timeout at most. */
function deadlineSeconds({ startDeadlineNs, timeoutNs }: EffectiveSpec, durationNs: number): number {
  const startSeconds = startDeadlineNs === undefined ? startDeadlineSeconds : Math.ceil(startDeadlineNs / 1e9);
  return Math.ceil(durationNs / 1e9) + startSeconds + Math.ceil(timeoutNs / 1e9) + reserveSeconds;
}

function ownVolumes(): Volume[] {
  const fieldRef = { fieldPath: `metadata.annotations['${planAnnotation}']` };
  return [
    { name: "plan", downwardAPI: { items: [{ path: "plan.json", fieldRef }] } },
    {
      name: "cluster-ca",
      configMap: { name: "kube-root-ca.crt", optional: true, items: [{ key: "ca.crt", path: clusterCaFile }] },
    },
    { name: "checkpoint", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
  ];
}
