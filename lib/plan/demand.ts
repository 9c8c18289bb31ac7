// What a LoadTest asks for now, and whether it can be had: by its spec, its Canary, its Services and a trial of its Pods.
import type { Canary } from "../loadtest/canary.ts";
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { judgeTarget, type Refusal, refuseCanary, refuseSize, refuseSpec } from "./acceptance.ts";
import { compileScript, serviceBackends } from "./compile.ts";
import type { Worker } from "./crew.ts";
import type { Run } from "./run.ts";
import type { Script } from "./script.ts";
import { refusePod } from "./trial-pod.ts";
import { isUntried } from "./untried.ts";
import { workerCaFiles } from "./worker-pod.ts";
import type { PlanOptions, World } from "./world.ts";

export interface Demand {
  /** Of a LoadTest that is not well-formed one that says nothing. */
  spec: EffectiveSpec;
  /** What workers do that begin by this spec. */
  wanted: Script;
  /** What is wrong with the LoadTest by itself. */
  illFormed: Refusal | undefined;
  /** Why nobody can tell what is asked for: no worker has a seat then. */
  unfit: Refusal | undefined;
  /** Why no worker is made; those at work go on, unless it is unfit. */
  refusal: Refusal | undefined;
  /** Whether all that it needs was looked for in this pass. */
  isKnown: boolean;
  /** Whether workers at work may be told of it. */
  isFit: boolean;
}

/** Stands for a spec that is not well-formed: nothing of what it asks for is known. */
const illegible: LoadTest["spec"] = { service: "", scheme: "http", requestsPerSecond: 1 };

export function demandOf(
  loadTest: LoadTest,
  run: Run,
  workers: readonly Worker[],
  world: World,
  { maxRequestsPerSecond }: PlanOptions,
): Demand {
  const { namespace, uid } = loadTest.metadata;
  const named = world.canaries.get(`${namespace}/${loadTest.spec.canary}`);
  const illFormed = refuseSpec(loadTest, maxRequestsPerSecond);
  const unfit = illFormed ?? refuseCanary(loadTest, named);
  const canary = unfit === undefined ? named : undefined;
  const spec = effectiveSpec(unfit?.reason === "Invalid" ? illegible : loadTest.spec);
  const wanted = compile(namespace, run, spec, canary);
  const target = judgeTarget(spec, canary?.spec, namespace, world.services);
  const refusal = unfit ?? refusePod(loadTest, world) ?? target.refusal ?? refuseSize(wanted, spec);
  const isKnown = target.isKnown && world.podRefusals?.get(uid) !== null;
  const isFit = refusal === undefined && (isKnown || !isUntried(workers, spec, wanted.backends));
  return { spec, wanted, illFormed, unfit, refusal, isKnown, isFit };
}

function compile(namespace: string, run: Run, spec: EffectiveSpec, canary: Canary | null | undefined): Script {
  const { serverName, insecure, clientCertificate } = spec;
  const tls = {
    caFiles: workerCaFiles(spec),
    insecure,
    ...(serverName === undefined ? {} : { serverName }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
  const backends = serviceBackends(spec, canary?.spec, namespace);
  return compileScript(spec, { backends, tls }, { pacing: "relaxed", seed: Number(`0x${run.hash}`) });
}
