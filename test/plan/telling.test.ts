import { expect, test } from "bun:test";
import { toldAnnotation } from "../../lib/plan/names.ts";
import { newsOf } from "../../lib/plan/news.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { repairsIn } from "../../lib/plan/repairs.ts";
import { isReminder } from "../../lib/plan/telling.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import type { Action } from "../../lib/plan/world.ts";
import { Cluster, conditionIn, kinds, loadTest } from "./cluster.ts";

/** Its workers have last said something so long ago. */
class SpeakingCluster extends Cluster {
  agoMs = 0;

  override reports(): Map<string, WorkerReport> {
    return new Map([...super.reports()].map(([uid, report]) => [uid, this.#saidNow(report)]));
  }

  #saidNow({ snapshot, ...report }: WorkerReport): WorkerReport {
    if (snapshot === undefined) return report;
    const elapsedSeconds = (this.nowMs - this.agoMs - snapshot.startedAtMs) / 1000;
    return { ...report, snapshot: { ...snapshot, elapsedSeconds } };
  }
}

/** A load of three whose rate was just changed, which all workers but the second are shown. */
function amidChange(): { cluster: SpeakingCluster; second: Observed<Pod> } {
  const cluster = new SpeakingCluster(loadTest({ workers: 3 }));
  cluster.converge();
  cluster.edit({ requestsPerSecond: 2000 });
  cluster.pass();
  const [first, second, third] = cluster.pods as [Observed<Pod>, Observed<Pod>, Observed<Pod>];
  for (const pod of [first, third]) cluster.deliver(pod);
  return { cluster, second };
}

const reminders = (actions: readonly Action[]) =>
  actions.flatMap((one) => (one.kind === "setPlan" && isReminder(one) ? [one] : []));

test("a worker that names an older plan 5 s after it was told is told again, four times, each later", () => {
  const { cluster, second } = amidChange();
  const changedAtMs = cluster.nowMs;
  const toldAfterMs: number[] = [];
  for (; cluster.nowMs < changedAtMs + 300_000; cluster.nowMs += 1000) {
    const before = structuredClone(cluster.test);
    const actions = cluster.pass();
    const again = reminders(actions);
    if (again.length === 0) continue;
    toldAfterMs.push(cluster.nowMs - changedAtMs);
    expect(again.map(({ uid }) => uid)).toEqual([second.metadata.uid]);
    expect(repairsIn(actions).reminded).toEqual([second.metadata.name]);
    expect(newsOf(before, actions)).toMatchObject([{ type: "Warning", reason: "PlanToldAgain" }]);
    expect(reminders(cluster.plan())).toEqual([]);
  }
  expect(toldAfterMs).toEqual([5000, 15_000, 35_000, 75_000]);
});

test("as long as it goes on by the older plan the status says so, with its number", () => {
  const { cluster, second } = amidChange();
  cluster.nowMs += 4000;
  cluster.pass();
  expect(conditionIn(cluster.test, "RateAchieved")?.reason).not.toBe("PlanNotFollowed");
  cluster.nowMs += 1000;
  cluster.pass();
  expect(conditionIn(cluster.test, "RateAchieved")).toMatchObject({
    status: "False",
    reason: "PlanNotFollowed",
    message: "Worker 1 of 3 goes on by an older plan.",
  });
  cluster.deliver(second);
  expect(kinds(cluster.pass())).toEqual(["patchStatus"]);
  expect(conditionIn(cluster.test, "RateAchieved")?.status).toBe("True");
});

test("one that misses its end is told again that it is to end", () => {
  const { cluster } = amidChange();
  cluster.settle();
  cluster.edit({ state: "Stopped" });
  expect(kinds(cluster.pass()).filter((kind) => kind === "setPlan")).toHaveLength(3);
  cluster.nowMs += 5000;
  expect(reminders(cluster.pass())).toHaveLength(3);
});

test("nothing is told again to one that has said nothing since, is not heard, or bears no word of when it was told", () => {
  const { cluster, second } = amidChange();
  cluster.nowMs += 10_000;
  const told = second.metadata.annotations as Record<string, string>;
  const instant = told[toldAnnotation] as string;
  for (const text of ["", "null", "{}", '{"at":"yesterday","reminders":0}', '{"at":"2030-01-01T00:00:00Z"}']) {
    told[toldAnnotation] = text;
    expect(reminders(cluster.plan())).toEqual([]);
  }
  told[toldAnnotation] = instant;
  expect(reminders(cluster.plan())).toHaveLength(1);
  cluster.agoMs = 6000;
  expect(reminders(cluster.plan())).toEqual([]);
  cluster.agoMs = 0;
  cluster.followed.delete(second.metadata.uid);
  expect(reminders(cluster.plan())).toEqual([]);
});
