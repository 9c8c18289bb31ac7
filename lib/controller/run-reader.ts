// What is read of a running LoadTest beside its Pods: the tails of its workers' logs, and its LoadTestResult when that is
// about to be written. How long ago either was read is remembered, to spare the API server, and what the latter says of
// workers whose Pods are gone; after a restart both are read at once where they matter.
import type { KubeClient } from "../kube/client.ts";
import { find } from "../kube/find.ts";
import { loadtestresults } from "../kube/resource.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { DepartedWorker } from "../loadtest/load-test-result.ts";
import { hasEnded, toldStartMs, workerOf } from "../plan/crew.ts";
import type { Observed, Pod } from "../plan/objects.ts";
import { reportsWanted } from "../plan/reports-wanted.ts";
import { isCompleted, isOf, presentRun, type Run } from "../plan/run.ts";
import { isLeaving, resultName, resultPeriodMs, type StoredResult } from "../plan/run-result.ts";
import { awaitsReports } from "../plan/staffing.ts";
import type { WorkerReport } from "../plan/worker-report.ts";
import { type Action, ownerUid, type World } from "../plan/world.ts";
import type { Log } from "../runtime/log.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { readReports } from "./worker-logs.ts";

interface LastReads {
  /** Of which run. */
  hash: string;
  logsAtMs?: number;
  resultAtMs?: number;
  /** Of the Pods that had ended, or were about to go, when the result was read. */
  leaving: ReadonlySet<string>;
  /** What the result says of workers whose Pods may be gone; undefined: it was not read yet. */
  departed?: readonly DepartedWorker[];
  /** By Pod uid; of one whose log cannot be read for a while too. */
  said: ReadonlyMap<string, Said>;
}

/** A worker's newest snapshot, and when it was first read. */
interface Said extends Pick<SnapshotLine, "startedAtMs" | "elapsedSeconds"> {
  saidAtMs: number;
}

export class RunReader {
  readonly #client: KubeClient;
  readonly #log: Log;
  /** By uid of the LoadTest. */
  readonly #last = new Map<string, LastReads>();

  constructor(client: KubeClient, log: Log) {
    this.#client = client;
    this.#log = log;
  }

  /** What there is to add to the world of one LoadTest, or of none. */
  async read({ loadTests, pods }: World, nowMs: number): Promise<Pick<World, "reports" | "results" | "departed">> {
    const [loadTest] = loadTests;
    if (loadTest === undefined) return {};
    const { uid } = loadTest.metadata;
    const run = presentRun(loadTest);
    const owned = pods.filter((pod) => ownerUid(pod) === uid && isOf(pod, run));
    const isNothing = owned.length === 0 && run.status.startTime === undefined;
    if (isCompleted(run.status) || loadTest.metadata.deletionTimestamp !== undefined || isNothing) {
      this.#last.delete(uid);
      return {};
    }
    return this.#readRun(loadTest, run, owned, nowMs);
  }

  /** Forgets all but these, by uid of the LoadTest. */
  keepOnly(uids: ReadonlySet<string>): void {
    for (const uid of this.#last.keys()) if (!uids.has(uid)) this.#last.delete(uid);
  }

  /** Reads it anew at the next pass, because what came of it could not be written. */
  forget({ loadTests }: World): void {
    for (const { metadata } of loadTests) {
      const last = this.#last.get(metadata.uid);
      if (last === undefined) continue;
      const { resultAtMs: _, logsAtMs: __, ...known } = last;
      this.#last.set(metadata.uid, { ...known, leaving: new Set() });
    }
  }

  /** Notes what has been written of it. */
  learn(done: readonly Action[]): void {
    for (const action of done) {
      if (action.kind !== "writeResult") continue;
      const { run, departed = [] } = action.result;
      const last = this.#last.get(run.uid);
      if (last?.hash === run.hash) this.#last.set(run.uid, { ...last, departed });
    }
  }

  async #readRun(
    loadTest: LoadTest,
    run: Run,
    pods: readonly Observed<Pod>[],
    nowMs: number,
  ): Promise<Pick<World, "reports" | "results" | "departed">> {
    const { uid, name, namespace } = loadTest.metadata;
    const former = this.#last.get(uid);
    const nothing = { hash: run.hash, leaving: new Set<string>(), said: new Map<string, Said>() };
    const last: LastReads = former?.hash === run.hash ? former : nothing;
    const leaving = pods.filter(isLeaving).map(farewellOf);
    const workers = pods.map((pod) => workerOf(pod));
    const sinceMs = last.resultAtMs ?? toldStartMs(workers);
    const mayBeOthers = workers.some(({ plan }) => plan?.joinNs !== undefined); // before it
    const isResultDue =
      pods.every(hasEnded) ||
      (last.departed === undefined && mayBeOthers) ||
      leaving.some((farewell) => !last.leaving.has(farewell)) ||
      (sinceMs !== undefined && nowMs - sinceMs >= resultPeriodMs) ||
      (last.resultAtMs !== undefined && last.resultAtMs > nowMs); // the clock was set back
    const reads = isResultDue
      ? reportsWanted(pods, nowMs, undefined, sinceMs ?? nowMs)
      : reportsWanted(pods, nowMs, awaitsReports(workers) ? undefined : last.logsAtMs);
    const [read, stored] = await Promise.all([
      readReports(this.#client, reads, this.#log),
      isResultDue ? this.#stored({ namespace, name: resultName(name, run) }) : undefined,
    ]);
    const said = new Map([
      ...[...last.said].filter(([uid]) => pods.some(({ metadata }) => metadata.uid === uid)),
      ...[...read].flatMap(([pod, { snapshot }]) => saidIn(pod, snapshot, last.said, nowMs)),
    ]);
    const departed = stored === undefined ? last.departed : (stored?.departed ?? []);
    const reports = new Map([...read].map(([pod, report]) => [pod, withSaid(report, said.get(pod))]));
    this.#last.set(uid, {
      hash: run.hash,
      said,
      ...(departed === undefined ? {} : { departed }),
      leaving: isResultDue ? new Set(leaving) : last.leaving,
      ...(reads.length > 0 ? { logsAtMs: nowMs } : last.logsAtMs === undefined ? {} : { logsAtMs: last.logsAtMs }),
      ...(isResultDue ? { resultAtMs: nowMs } : last.resultAtMs === undefined ? {} : { resultAtMs: last.resultAtMs }),
    });
    return {
      reports,
      ...(stored === undefined ? {} : { results: new Map([[uid, stored]]) }),
      ...(departed === undefined ? {} : { departed: new Map([[uid, departed]]) }),
    };
  }

  async #stored(key: { namespace: string; name: string }): Promise<StoredResult | null> {
    return (await find(this.#client, loadtestresults, key)) ?? null;
  }
}

/** A Pod about to go is heard of once more when it has ended: it may have left a result then. */
function farewellOf(pod: Observed<Pod>): string {
  return `${pod.metadata.uid} ${hasEnded(pod)}`;
}

function withSaid(report: WorkerReport, said: Said | undefined): WorkerReport {
  return said === undefined ? report : { ...report, saidAtMs: said.saidAtMs };
}

/** Of one that has not begun, nothing: it waits for the others. */
function saidIn(
  pod: string,
  snapshot: SnapshotLine | undefined,
  before: LastReads["said"],
  nowMs: number,
): [pod: string, said: Said][] {
  if (snapshot === undefined) return [];
  const { startedAtMs, elapsedSeconds } = snapshot;
  const known = before.get(pod);
  const isSame = known?.startedAtMs === startedAtMs && known.elapsedSeconds === elapsedSeconds;
  return [[pod, { startedAtMs, elapsedSeconds, saidAtMs: isSame ? known.saidAtMs : nowMs }]];
}
