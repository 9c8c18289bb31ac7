// Whoever may edit Pods, or write into their containers, may write any number where a worker or the planner wrote one.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { loadtestresults, loadtests } from "../../lib/kube/resource.ts";
import { planAnnotation, workerLabel } from "../../lib/plan/names.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { parseWorkerReport } from "../../lib/plan/worker-report.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { schemaProblem } from "../model/schemas.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, loadTest, options } from "./cluster.ts";
import { ended, termination } from "./finished-pods.ts";

const spec = { workers: 2, duration: "10s", paths: ["/a", "/b"], thresholds: { minRate: "99%", errorRate: "1%" } };
const number = fc.oneof(
  fc.constantFrom(
    0,
    -1,
    0.5,
    1e9,
    2 ** 53 - 1,
    2 ** 53,
    2 ** 63,
    1e300,
    Number.POSITIVE_INFINITY,
    253_402_300_799_999,
    8.64e15,
  ),
  fc.double({ noNaN: true }),
);
const edit = fc.record({ which: fc.nat(1000), to: number });

/** The text with one of the numbers in it replaced. */
function edited(text: string, { which, to }: { which: number; to: number }): string {
  const numbers = [...text.matchAll(/(?<=[:[,])-?[0-9.]+(?=[,}\]])/g)];
  const found = numbers[which % numbers.length];
  if (found === undefined) return text;
  const word = to === Number.POSITIVE_INFINITY ? "1e999" : JSON.stringify(to);
  return text.slice(0, found.index) + word + text.slice(found.index + found[0].length);
}

test("whatever number is written into a Pod, what is planned may be stored", () => {
  const edits = fc.record({ plans: fc.array(edit, { maxLength: 2 }), report: edit, message: edit });
  const states = fc.record({
    isOver: fc.boolean(),
    isSaid: fc.boolean(),
    change: fc.constantFrom({}, { requestsPerSecond: 7 }),
  });
  fc.assert(
    fc.property(edits, states, ({ plans, report, message }, { isOver, isSaid, change }) => {
      const cluster = new Cluster(loadTest(spec));
      cluster.converge();
      cluster.edit(change);
      const [first] = cluster.pods as [Observed<Pod>];
      const text = first.metadata.annotations?.[planAnnotation] as string;
      Object.assign(first.metadata.annotations ?? {}, { [planAnnotation]: plans.reduce(edited, text) });
      const reports = cluster.reports();
      const said = edited(JSON.stringify(reports.get(first.metadata.uid)?.snapshot), report);
      const read = isSaid ? parseWorkerReport(said) : undefined;
      if (read !== undefined) reports.set(first.metadata.uid, read);
      const recording = workerRecording(0, [[completed([1e6]), completed([2e6])]]);
      const last = edited(formatTerminationMessage(recording), message);
      if (isOver) cluster.pods = cluster.pods.map((pod) => ended(pod, "Succeeded", termination(last)));
      const world = { ...cluster.world(), reports, results: new Map([["u1", null]]) };
      const actions = plan(world, options, cluster.nowMs);
      for (const action of actions) {
        if (action.kind === "patchStatus") expect(schemaProblem(loadtests, action)).toBeUndefined();
        if (action.kind === "writeResult") expect(schemaProblem(loadtestresults, action.result)).toBeUndefined();
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

test.each(["x", "1", "0.5", undefined])("a Pod that says it is worker %p and is not is replaced", (label) => {
  const cluster = new Cluster(loadTest({ duration: "8h" }));
  cluster.converge();
  const [first] = cluster.pods as [Observed<Pod>];
  Object.assign(first.metadata.labels ?? {}, { [workerLabel]: label });
  cluster.edit({ thresholds: { errorRate: "1%" } });
  const actions = cluster.plan();
  for (const action of actions) {
    if (action.kind === "patchStatus") expect(schemaProblem(loadtests, action)).toBeUndefined();
  }
  cluster.apply(actions.filter(({ kind }) => kind !== "createPod")); // its name is taken until it is gone
  cluster.converge();
  expect(cluster.live.map(({ metadata }) => metadata.labels?.[workerLabel])).toEqual(["0"]);
});
