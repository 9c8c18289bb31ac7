// What workers say, read out of the tails of their logs: never followed, and no more bytes than so many lines can have.
import type { KubeClient } from "../kube/client.ts";
import type { LogRead } from "../plan/reports-wanted.ts";
import { parseWorkerReport, type WorkerReport } from "../plan/worker-report.ts";
import { workerContainer } from "../plan/worker-status.ts";
import { nowMs } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

const readsAtOnce = 32;
/** See lib/stats/line.ts. */
const lineBytes = 12 * 1024;
/** For one, and since the last that came: who has edited the LoadTest waits meanwhile, and where a kubelet hangs none come. */
const timeoutMs = 1000;
/** Until the last is begun: what else has been observed for this pass grows old. */
const longestMs = 5000;

/** By Pod uid; a log that cannot be read, or says nothing, has no report. */
export async function readReports(
  client: Pick<KubeClient, "podLog">,
  wanted: readonly LogRead[],
  log: Log,
): Promise<Map<string, WorkerReport>> {
  const waiting = [...wanted];
  const reports = new Map<string, WorkerReport>();
  const startedAtMs = nowMs();
  let untilMs = startedAtMs + timeoutMs;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined && nowMs() < untilMs; next = waiting.shift()) {
      const { namespace = "", name, uid } = next.pod.metadata;
      const { tailLines } = next;
      const limits = { tailLines, limitBytes: tailLines * lineBytes, container: workerContainer, timeoutMs };
      try {
        const report = parseWorkerReport(await client.podLog({ namespace, name }, limits));
        if (report !== undefined) reports.set(uid, report);
        untilMs = Math.min(nowMs() + timeoutMs, startedAtMs + longestMs);
      } catch (error: unknown) {
        log.debug({ pod: `${namespace}/${name}`, error: (error as Error).message }, "cannot read the log");
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(readsAtOnce, wanted.length) }, work));
  return reports;
}
