// The Pod of one worker: restricted, without a token, and ended by the kubelet should everybody else be gone.
import type { WorkerPlan } from "../load/worker-plan.ts";
import { apiVersion } from "../loadtest/api-group.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { attemptLabel, loadTestLabel, planAnnotation, runLabel, workerLabel, workerPodName } from "./names.ts";
import type { Pod, Volume } from "./objects.ts";
import { restrictedContainer, restrictedPod } from "./restricted.ts";

const planFolder = "/etc/loadtest";
const clusterCaFolder = "/etc/loadtest-ca/cluster";
const ownCaFolder = "/etc/loadtest-ca/own";
const clusterCaFile = "ca.crt";

/**
 * Where a worker Pod finds the authorities to trust, beside the public ones. The file of `tls.caFrom` is called after
 * its source, so that another source makes another plan.
 */
export function workerCaFiles({ scheme, caFrom }: EffectiveSpec): string[] {
  if (scheme === "http") return [];
  const cluster = `${clusterCaFolder}/${clusterCaFile}`;
  return caFrom === undefined ? [cluster] : [cluster, `${ownCaFolder}/${ownCaFile(caFrom)}`];
}

function ownCaFile({ configMapKeyRef, secretKeyRef }: NonNullable<EffectiveSpec["caFrom"]>): string {
  return configMapKeyRef === undefined
    ? `secret.${secretKeyRef?.name}.${secretKeyRef?.key}`
    : `configmap.${configMapKeyRef.name}.${configMapKeyRef.key}`;
}

/** Longest time from a Pod's creation to its first request, unless the spec says so; it bounds the Pod's life. */
const startDeadlineSeconds = 600;
const drainSeconds = 60;

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
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: workerPodName(name, run, plan.worker.index, attempt),
      namespace,
      labels: {
        "app.kubernetes.io/name": "loadtest",
        "app.kubernetes.io/component": "worker",
        [loadTestLabel]: name,
        [runLabel]: run,
        [workerLabel]: String(plan.worker.index),
        ...(attempt === 0 ? {} : { [attemptLabel]: String(attempt) }),
      },
      annotations: { [planAnnotation]: JSON.stringify(plan) },
      ownerReferences: [{ apiVersion, kind: "LoadTest", name, uid, controller: true }],
    },
    spec: {
      restartPolicy: "OnFailure",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 15,
      ...(spec.durationNs === undefined ? {} : { activeDeadlineSeconds: deadlineSeconds(spec, spec.durationNs) }),
      securityContext: restrictedPod,
      containers: [
        {
          name: "worker",
          image,
          imagePullPolicy: "IfNotPresent",
          args: ["worker", "--plan", `${planFolder}/plan.json`],
          resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
          securityContext: restrictedContainer,
          volumeMounts: [
            { name: "plan", mountPath: planFolder, readOnly: true },
            { name: "cluster-ca", mountPath: clusterCaFolder, readOnly: true },
            ...(spec.caFrom === undefined ? [] : [{ name: "own-ca", mountPath: ownCaFolder, readOnly: true }]),
          ],
        },
      ],
      volumes: volumes(spec),
    },
  };
}

/** Pauses and edits may outlive it: the worker is then replaced. */
function deadlineSeconds({ startDeadlineNs }: EffectiveSpec, durationNs: number): number {
  const startSeconds = startDeadlineNs === undefined ? startDeadlineSeconds : Math.ceil(startDeadlineNs / 1e9);
  return Math.ceil(durationNs / 1e9) + startSeconds + drainSeconds;
}

function volumes({ caFrom }: EffectiveSpec): Volume[] {
  const fieldRef = { fieldPath: `metadata.annotations['${planAnnotation}']` };
  const own = (key: string) => [{ key, path: caFrom === undefined ? "" : ownCaFile(caFrom) }];
  return [
    { name: "plan", downwardAPI: { items: [{ path: "plan.json", fieldRef }] } },
    {
      name: "cluster-ca",
      configMap: { name: "kube-root-ca.crt", optional: true, items: [{ key: "ca.crt", path: clusterCaFile }] },
    },
    ...(caFrom?.configMapKeyRef === undefined
      ? []
      : [{ name: "own-ca", configMap: { name: caFrom.configMapKeyRef.name, items: own(caFrom.configMapKeyRef.key) } }]),
    ...(caFrom?.secretKeyRef === undefined
      ? []
      : [{ name: "own-ca", secret: { secretName: caFrom.secretKeyRef.name, items: own(caFrom.secretKeyRef.key) } }]),
  ];
}
