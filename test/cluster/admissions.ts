// Objects put before the API server as dry runs: nothing is stored, everything is judged.
import { ApiError } from "../../lib/kube/api-error.ts";
import type { Connection } from "../../lib/kube/connection.ts";
import { exchange } from "../../lib/kube/exchange.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import type { AnyObject } from "../loadtest/objects.ts";
import { kubeconfig } from "./kubectl.ts";

export interface Verdict {
  allowed: boolean;
  /** Of a refusal, or of a call that failed. */
  words: string;
  /** The HTTP status; 0: no answer. */
  code: number;
  /** What would be stored. */
  object?: AnyObject;
}

const plurals: Record<string, string> = { LoadTest: "loadtests", Canary: "canaries" };

/** A function that asks for the creation of an object in `namespace`, as a dry run, in strict mode, once. */
export async function dryRunCreate(namespace: string): Promise<(object: AnyObject) => Promise<Verdict>> {
  const connection: Connection = await loadConnection({ kubeconfig });
  return async (object) => {
    const path = `/apis/beta.kuar.com/v1/namespaces/${namespace}/${plurals[object.kind]}`;
    const request = {
      method: "POST" as const,
      path,
      query: "?dryRun=All&fieldValidation=Strict",
      contentType: "application/json",
      body: JSON.stringify(object),
    };
    try {
      const body = await exchange(connection, request, { timeoutMs: 15_000 });
      return { allowed: true, words: "", code: 201, object: JSON.parse(new TextDecoder().decode(body)) };
    } catch (error: unknown) {
      const code = error instanceof ApiError ? error.code : 0;
      return { allowed: false, words: (error as Error).message, code };
    }
  };
}

/** Calls `judge` for all objects, `width` at a time; the verdicts in their order. */
export async function judgeAll<V>(
  objects: readonly AnyObject[],
  judge: (object: AnyObject) => Promise<V>,
  width = 16,
): Promise<V[]> {
  const verdicts: V[] = new Array(objects.length);
  let next = 0;
  const work = async () => {
    for (let index = next++; index < objects.length; index = next++) {
      verdicts[index] = await judge(objects[index] as AnyObject);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return verdicts;
}

export interface Steady {
  /** Ends the calls; resolves with how many there were and what the failed ones said. */
  stop(): Promise<{ calls: number; failures: string[] }>;
}

/** Calls that wait for their answers: more would only wait for each other, on a machine that is slow at the time. */
export const mostUnderWay = 32;

/** Calls `judge` at `perSecond` until stopped, less often where answers do not come; what is not allowed is a failure. */
export function judgeSteadily(
  object: AnyObject,
  judge: (object: AnyObject) => Promise<Verdict>,
  perSecond: number,
): Steady {
  const failures: string[] = [];
  const underWay = new Set<Promise<void>>();
  let due = 0;
  let calls = 0;
  let isStopped = false;
  const call = async () => {
    const { allowed, words } = await judge(object);
    if (!allowed) failures.push(`${new Date().toISOString()} ${words}`);
  };
  const loop = async () => {
    const startMs = performance.now();
    while (!isStopped) {
      for (const now = ((performance.now() - startMs) * perSecond) / 1000; due < now; due++) {
        if (underWay.size >= mostUnderWay) continue;
        calls++;
        const one: Promise<void> = call().finally(() => underWay.delete(one));
        underWay.add(one);
      }
      await Bun.sleep(2);
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      isStopped = true;
      await looping;
      await Promise.all(underWay);
      return { calls, failures };
    },
  };
}
