import { expect, test } from "bun:test";
import fc from "fast-check";
import { loadtests } from "../../lib/kube/resource.ts";
import type { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import type { DepartedWorker } from "../../lib/loadtest/load-test-result.ts";
import { LoadTestResults } from "../../lib/loadtest/load-test-results.ts";
import type { Display } from "../../lib/loadtest/load-test-status.ts";
import { openApiSchema } from "../../lib/manifest/custom-resource.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { type Measurement, measurementOf } from "../../lib/plan/results.ts";
import { latestScript, type Script } from "../../lib/plan/script.ts";
import { departure as departureOf } from "../../lib/plan/told-worker.ts";
import { displayOf, passedFinding } from "../../lib/plan/verdict.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import { type Account, emptyAccount, imbalance } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { allRecordings, mergeRecordings, type Recording, type WorkerRecording } from "../../lib/stats/recording.ts";
import { type Percentiles, type Summary, summarize } from "../../lib/stats/summary.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import type { Threshold } from "../../lib/stats/threshold.ts";
import { schemaProblem } from "../model/schemas.ts";
import { completed, wideLatencies, workerRecording } from "../stats/worker-recordings.ts";
import { ended, loadTest, succeeded, termination, workerPods } from "./finished-pods.ts";

/** What 2 s of 1000 requests per second are, for each of `workers`. */
const share = (workers: number, latencyNs = 1e6) => completed(Array(2000 / workers).fill(latencyNs));
const p99 = (value: number): Threshold => ({ name: "p99", value });
const message = (recording: WorkerRecording) => formatTerminationMessage(recording);

function resultsOf(pods: readonly Pod[], thresholds: readonly Threshold[] = []): LoadTestResults {
  return measurementOf(pods, thresholds)?.results as LoadTestResults;
}

/** The account of one worker without histograms, for what is counted only. */
function counted(worker: number, account: Partial<Account>, scheduledSeconds = 2): WorkerRecording {
  const recording = completed([]);
  recording.account = { ...emptyAccount(), ...account };
  return { ...workerRecording(worker, [[recording]], scheduledSeconds), completedInTime: account.completed ?? 0 };
}

function expectClose(merged: Percentiles, exact: Percentiles, errorShare: number): void {
  for (const name of Object.keys(exact) as (keyof Percentiles)[]) {
    expect(merged[name]).toBeGreaterThanOrEqual(exact[name]);
    expect(merged[name]).toBeLessThanOrEqual(exact[name] * (1 + errorShare) + 0.3);
  }
}

test("the merged results of n workers are the summary of all samples together, exactly when nothing was compacted", () => {
  const some = fc.array(fc.integer({ min: 0, max: 1e10 }), { maxLength: 20 });
  const samples = fc.oneof(
    { arbitrary: some, weight: 4 },
    {
      arbitrary: fc
        .record({ count: fc.nat(3000), seed: fc.nat() })
        .map(({ count, seed }) => wideLatencies(count, seed)),
      weight: 1,
    },
  );
  const runs = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })).chain(([backends, paths]) => {
    const worker = fc.array(fc.array(samples.map(completed), { minLength: paths, maxLength: paths }), {
      minLength: backends,
      maxLength: backends,
    });
    return fc.record({
      backends: fc.constant(backends),
      paths: fc.constant(paths),
      workers: fc.array(worker, { minLength: 1, maxLength: 4 }),
    });
  });
  let exactRuns = 0;
  let compactedRuns = 0;
  fc.assert(
    fc.property(runs, ({ backends, paths, workers }) => {
      const thresholds: Threshold[] = [{ name: "errorRate", value: 0 }];
      const names = Array.from({ length: paths }, (_, i) => `/${i}`);
      const test = loadTest({ workers: workers.length, paths: names });
      delete test.spec.duration; // the samples are no schedule's
      const recordings = workers.map((recorded, index) => workerRecording(index, recorded));
      const pods = workerPods(test, backends).map((pod, index) => succeeded(pod, recordings[index] as WorkerRecording));
      const merged = resultsOf(pods.toReversed(), thresholds);
      const together = (workers[0] as Recording[][]).map((backend, b) =>
        backend.map((_, p) => mergeRecordings(workers.map((recorded) => recorded[b]?.[p] as Recording))),
      );
      const direct = summarize({
        paths: names,
        askedUntil: (seconds) => seconds * 1000,
        workers: [workerRecording(0, together)],
        thresholds,
      });
      const {
        latencyUs,
        serviceTimeUs,
        slipUs,
        histograms: _,
        workers: __,
        paths: ___,
        backends: ____,
        ...rest
      } = direct;
      expect(merged).toMatchObject(rest as never);
      expectClose(merged.latencyUs, latencyUs, merged.latencyErrorShare);
      expectClose(merged.serviceTimeUs, serviceTimeUs, merged.serviceTimeErrorShare);
      expectClose(merged.slipUs, slipUs, merged.slipErrorShare);
      if (merged.latencyErrorShare === 1 / 128) expect(merged.latencyUs).toEqual(latencyUs);
      if (merged.latencyErrorShare === 1 / 128) exactRuns++;
      else compactedRuns++;
      expectParts(
        merged.paths?.map(({ path, ...part }) => ({ name: path, ...part })),
        direct.paths,
      );
      expectParts(
        merged.backends?.map(({ backend, ...part }) => ({ name: backend, ...part })),
        direct.backends,
      );
    }),
    { numRuns: 60, seed: 1 },
  );
  expect(exactRuns).toBeGreaterThan(0);
  expect(compactedRuns).toBeGreaterThan(0);
}, 60_000);

function expectParts(
  merged: (Partial<Summary["paths"][number]> & { latencyErrorShare?: number })[] | undefined,
  direct: Summary["paths"] | Summary["backends"],
): void {
  expect(merged?.length).toBe(direct.length < 2 ? undefined : direct.length);
  for (const [index, part] of (merged ?? []).entries()) {
    const { scheduled, sent, completed, failed, lost, latencyUs } = direct[index] as (typeof direct)[number];
    expect(part).toMatchObject({ scheduled, sent, completed, failed, lost });
    expectClose(part.latencyUs as Percentiles, latencyUs, part.latencyErrorShare as number);
  }
}

test("the API server would store results as they are: they fit the CRD's schema, and nothing is pruned", () => {
  const schema = openApiSchema(LoadTestResults);
  const pods = workerPods(loadTest({ workers: 2, paths: ["/a", "/b"] }), 2);
  const ofWorker = (worker: number) =>
    workerRecording(worker, [
      [completed([1e6]), completed([2e6])],
      [completed([3e6]), completed([])],
    ]);
  const refused = counted(0, { scheduled: 3, failed: { refused: 2 }, timedOut: 1, statusCodes: { 503: 1 } });
  for (const results of [
    resultsOf(pods.map((pod, worker) => succeeded(pod, ofWorker(worker)))),
    resultsOf([succeeded(pods[0] as never, ofWorker(0)), ended(pods[1] as never, "Failed")], [p99(1)]),
    resultsOf(
      workerPods(loadTest()).map((pod) => succeeded(pod, refused)),
      [p99(1)],
    ),
  ]) {
    expect(schemaProblem(loadtests, { status: { results } })).toBeUndefined();
    expect(pruned(results, schema)).toEqual(results);
  }
});

/** What an API server keeps of a value: the fields that its schema knows. */
function pruned(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((one) => pruned(one, schema.items ?? {}));
  if (typeof value !== "object" || value === null) return value;
  const schemaOf = (name: string) => schema.properties?.[name] ?? schema.additionalProperties;
  const kept = Object.entries(value).filter(([name]) => schemaOf(name) !== undefined);
  return Object.fromEntries(kept.map(([name, one]) => [name, pruned(one, schemaOf(name) ?? {})]));
}

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
}

test("a run whose paths were changed tells of as many as may be stored, first of those requested to its end", () => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  const { annotations, ...metadata } = pod.metadata;
  const plan = JSON.parse(annotations?.[planAnnotation] as string);
  for (const weight of [0, 1]) {
    plan.requests = Array.from({ length: 40 }, (_, i) => ({
      ...plan.requests[0],
      path: `/${i}`,
      weight: i < 20 ? weight : 1,
    }));
    const changed = { ...pod, metadata: { ...metadata, annotations: { [planAnnotation]: JSON.stringify(plan) } } };
    const paths = plan.requests.map(() => completed(Array(50).fill(1e6)));
    const results = resultsOf([succeeded(changed, workerRecording(0, [paths]))]);
    expect(schemaProblem(loadtests, { status: { results } })).toBeUndefined();
    expect(results.completed).toBe(2000);
    expect(results.paths?.length).toBe(32);
    expect(results.paths?.[0]?.path).toBe(weight === 0 ? "/20" : "/0");
    expect(results.paths?.at(-1)?.path).toBe(weight === 0 ? "/11" : "/31");
  }
});

test("a run in which nothing was due has results that may be stored, whatever its thresholds", () => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  const { annotations, ...metadata } = pod.metadata;
  const plan = JSON.parse(annotations?.[planAnnotation] as string);
  const changes = [{ atNs: 0, clockNs: 0, paused: true, requestsPerSecond: 1000, durationNs: 2e9 }];
  const text = JSON.stringify({ ...plan, changes, stop: true });
  const paused = { ...pod, metadata: { ...metadata, annotations: { [planAnnotation]: text } } };
  const thresholds: Threshold[] = [{ name: "minRate", value: 0.99 }, { name: "errorRate", value: 0 }, p99(1)];
  const done = succeeded(paused, workerRecording(0, [[completed([])]], 5));
  const { results } = measurementOf([done], thresholds, { isStopped: true }) as Measurement;
  expect(results?.askedPerSecond).toBe(0);
  expect(schemaProblem(loadtests, { status: { results } })).toBeUndefined();
});

test("results are there only when there are Pods of the run, and all have ended", () => {
  const pods = workerPods(loadTest({ workers: 2 })).map((pod, i) => succeeded(pod, workerRecording(i, [[share(2)]])));
  const [first, second] = pods as [Observed<Pod>, Observed<Pod>];
  expect(measurementOf([first, second], [])?.results?.completed).toBe(2000);
  expect(measurementOf([], [])).toBeUndefined();
  expect(measurementOf([first, { ...second, status: { phase: "Running" } }], [])).toBeUndefined();
});

test("a worker of which nothing is left, or a Pod without a plan, is named", () => {
  const pods = workerPods(loadTest({ workers: 2 })).map((pod, i) => succeeded(pod, workerRecording(i, [[share(2)]])));
  const [first, second] = pods as [Observed<Pod>, Observed<Pod>];
  const foreign = { ...second, metadata: { ...second.metadata, annotations: {} } };
  for (const rest of [[first], [first, foreign]]) {
    const measured = measurementOf(rest, []);
    expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1000, lost: 1000 });
    expect(measured?.gap?.reason).toBe("worker 1 left no Pod: nothing is known of 1000 requests that were due");
  }
});

/** What a worker that was killed had last said: one request in ten is open. */
function reportOf(recording: WorkerRecording, elapsedSeconds: number): WorkerReport {
  const { account, latency } = mergeRecordings(allRecordings(recording));
  const open = Math.floor(account.scheduled / 10);
  const { worker, startedAtMs } = recording;
  return {
    plan: "0123abcd",
    snapshot: {
      kind: "snapshot",
      worker,
      plan: "0123abcd",
      startedAtMs,
      elapsedSeconds,
      account: {
        ...account,
        scheduled: account.scheduled + 2 * open,
        sent: account.sent + open,
        inFlight: open,
        unsent: open,
      },
      latency: encodeHistogram(latency),
    },
  };
}

test("whatever befalls the workers, results hold every sample that was told of once, and account for the whole schedule", () => {
  // Of each share: whether it is split between a Pod and the one that replaced it, and what is left of either.
  const pods = fc.record({
    leaves: fc.constantFrom("result", "report", "nothing"),
    isGone: fc.boolean(),
    latencies: fc.array(fc.integer({ min: 0, max: 1e10 }), { maxLength: 30 }),
  });
  const shares = fc.array(fc.array(pods, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(shares, (workers) => {
      const plans = workerPods(loadTest({ workers: workers.length }));
      const samples = new Histogram();
      const reports = new Map<string, WorkerReport>();
      const departed: DepartedWorker[] = [];
      const present: Observed<Pod>[] = [];
      let known = 0;
      for (const [index, lives] of workers.entries()) {
        for (const [life, { leaves, isGone, latencies }] of lives.entries()) {
          const recording = workerRecording(index, [[completed(latencies)]], life === lives.length - 1 ? 2 : 1);
          const template = plans[index] as Observed<Pod>;
          const pod = { ...template, metadata: { ...template.metadata, uid: `${index}-${life}` } };
          const report = leaves === "report" ? reportOf(recording, 1) : undefined;
          const done = leaves === "result" ? succeeded(pod, recording) : ended(pod, "Failed");
          if (leaves !== "nothing") for (const ns of latencies) samples.record(ns);
          if (leaves !== "nothing") known += latencies.length;
          if (report !== undefined && !isGone) reports.set(pod.metadata.uid, report);
          const departure = departureOf(done, report);
          if (isGone && departure !== undefined) departed.push(departure);
          // What was kept of a Pod that is still there is no second worker.
          if (!isGone || index + life === 0) present.push(done);
        }
      }
      const { results, recording, gap } = measurementOf(present, [], { reports, departed }) as Measurement;
      expect(encodeHistogram(recording.latency)).toBe(encodeHistogram(samples));
      expect(recording.latency.total).toBe(known);
      expect(gap?.lost ?? 0).toBeLessThanOrEqual(2000 - known);
      if (results === undefined) {
        expect({ known, lost: gap?.lost }).toEqual({ known: 0, lost: 2000 });
        return;
      }
      expect(results).toMatchObject({ scheduled: 2000, completed: known, lost: 2000 - known, inFlight: 0, unsent: 0 });
      expect(imbalance(results)).toBe(0);
      if (workers.flat().some(({ leaves, isGone }) => leaves === "report" && !isGone)) {
        expect(results.passed).toBeUndefined();
      }
    }),
    { numRuns: 100, seed: 1 },
  );
});

test("requests between the end of a worker and the beginning of the one that replaced it are lost, and counted", () => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  const before = succeeded(pod, counted(0, { scheduled: 800, completed: 800, sent: 800 }, 0.8));
  const kept = departureOf(before, undefined) as DepartedWorker;
  const after = succeeded(
    { ...pod, metadata: { ...pod.metadata, uid: "p1" } },
    counted(0, { scheduled: 1199, completed: 1199, sent: 1199 }),
  );
  const later = { ...(departureOf(after, undefined) as DepartedWorker), joinNs: 801e6 };
  const measured = measurementOf([before], [], { departed: [kept, later] });
  expect(measured?.gap).toBeUndefined();
  expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1999, lost: 1, valid: true });
  const less = measurementOf([after], []);
  expect(less?.results).toMatchObject({ scheduled: 2000, completed: 1199, lost: 801, valid: false });
});

test("a worker that was restarted tells what it lost in between", () => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  const second = counted(0, { scheduled: 2000, sent: 1500, completed: 1500, lost: 500 });
  const measured = measurementOf([ended(pod, "Succeeded", termination(), termination(message(second)))], []);
  expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1500, lost: 500, valid: false });
  expect(passedFinding(measured)).toMatchObject({ status: "Unknown", reason: "ResultsIncomplete" });
});

test("workers that left no result are named, all that they were due to send is lost, and nothing passes", () => {
  const recordings = [0, 1, 2, 3].map((index) => workerRecording(index, [[share(4)]]));
  const pods = workerPods(loadTest({ workers: 4 })).map((pod, index) => succeeded(pod, recordings[index] as never));
  for (const gone of [
    (pod: Observed<Pod>) => ended(pod, "Failed"),
    (pod: Observed<Pod>) => ended(pod, "Failed", termination()),
    (pod: Observed<Pod>) => ended(pod, "Succeeded", termination("not a result")),
  ]) {
    const measured = measurementOf([pods[0], gone(pods[1] as never), pods[2], gone(pods[3] as never)] as Pod[], []);
    expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1000, lost: 1000, valid: false });
    expect(measured?.results?.passed).toBeUndefined();
    expect(imbalance(measured?.results as LoadTestResults)).toBe(0);
    expect(passedFinding(measured)).toEqual({
      type: "Passed",
      status: "Unknown",
      reason: "ResultsIncomplete",
      message: "Workers 1, 3 left no result: nothing is known of 1000 requests that were due.",
    });
  }
});

test("backends that came with a Canary's edit, and so without a new generation, have their results", () => {
  const test = loadTest({ workers: 1 });
  const [before] = workerPods(test, 2) as [Observed<Pod>];
  const [after] = workerPods(test, 3) as [Observed<Pod>];
  const requests = (count: number) => completed(Array(count).fill(1e6));
  const earlier = workerRecording(0, [[requests(600)], [requests(600)]]);
  const later = workerRecording(0, [[requests(300)], [requests(300)], [requests(200)]]);
  const pods = [succeeded(before, earlier), succeeded({ ...after, metadata: { ...after.metadata, uid: "p9" } }, later)];
  for (const listed of [pods, pods.toReversed()]) {
    const { backends } = resultsOf(listed);
    expect(backends?.map(({ completed: count }) => count)).toEqual([900, 900, 200]);
  }
});

test("what was kept of workers has its results though no Pod is left, and the rest of the run is lost", () => {
  const [pod] = workerPods(loadTest({ workers: 1 })) as [Observed<Pod>];
  const half = counted(0, { scheduled: 1000, completed: 1000, sent: 1000 }, 1);
  const departed = [departureOf(succeeded(pod, half), undefined) as DepartedWorker];
  const script = latestScript([JSON.parse(pod.metadata.annotations?.[planAnnotation] as string)]) as Script;
  const measured = measurementOf([], [], { departed, script });
  expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1000, lost: 1000, valid: false });
  expect(measured?.gap?.reason).toBe("worker 0 ended early: nothing is known of 1000 requests that were due");
  expect(measurementOf([], [], { script })).toBeUndefined();
  const ofTwo = measurementOf([], [], { departed, script, desired: 2 });
  expect(ofTwo?.gap?.reason).toContain("worker 1 left no Pod");
});

test("a worker that was last heard of while it waited for responses makes the run no longer", () => {
  const [first, second] = workerPods(loadTest({ workers: 2 })) as [Observed<Pod>, Observed<Pod>];
  const pods = [succeeded(first, workerRecording(0, [[share(2)]])), ended(second, "Failed")];
  const reports = new Map([["p1", reportOf(workerRecording(1, [[share(2)]]), 7)]]);
  const measured = measurementOf(pods, [], { reports });
  expect(measured?.results).toMatchObject({ askedPerSecond: 1000, sentPerSecond: 1000 });
});

test("a worker that ended early is named, and the rest of its share is lost", () => {
  const early = counted(1, { scheduled: 300, completed: 300, sent: 300 }, 0.6);
  const [first, second] = workerPods(loadTest({ workers: 2 })) as [Observed<Pod>, Observed<Pod>];
  const pods = [
    succeeded(first, workerRecording(0, [[share(2)]])),
    ended(second, "Failed", termination(message(early))),
  ];
  const measured = measurementOf(pods, []);
  expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 1300, lost: 700 });
  expect(measured?.gap?.reason).toBe("worker 1 ended early: nothing is known of 700 requests that were due");
});

test("workers whose plans number the paths in different ways tell of no path", () => {
  const pods = ["/a", "/c"].flatMap((first, index) =>
    workerPods(loadTest({ workers: 2, paths: [first, "/b"] }))
      .slice(index, index + 1)
      .map((pod) => succeeded(pod, workerRecording(index, [[share(4), share(4)]]))),
  );
  const results = resultsOf(pods);
  expect(results.completed).toBe(2000);
  expect(results.paths).toBeUndefined();
});

test("a stopped run owes nothing after its stop, though one of its Pods had failed before", () => {
  const [one, other] = workerPods(loadTest({ duration: "1h", workers: 2, requestsPerSecond: 10 }));
  const at = (pod: Observed<Pod> | undefined, uid: string, change: object) => {
    const { annotations, ...rest } = (pod as Observed<Pod>).metadata;
    const plan = JSON.stringify({ ...JSON.parse(annotations?.[planAnnotation] as string), ...change });
    return {
      ...pod,
      metadata: { ...rest, uid, annotations: { ...annotations, [planAnnotation]: plan } },
    } as Observed<Pod>;
  };
  const told = (pod: Observed<Pod>, worker: number, sent: number) =>
    succeeded(pod, counted(worker, { scheduled: sent, sent, completed: sent }, 600));
  // Stopped after 600 s; seat 1 failed, and its replacement joined at 110 s.
  const pods = [
    told(at(one, "p0", { stop: true }), 0, 3000),
    ended(at(other, "p1", {}), "Failed", termination()),
    told(at(other, "p2", { stop: true, joinNs: 110e9 }), 1, 2450),
  ];
  const measured = measurementOf(pods, [], { isStopped: true });
  expect(measured?.gap).toEqual({ lost: 550, reason: expect.stringContaining("worker 1 left no result") as never });
  expect(measured?.results).toMatchObject({ scheduled: 6000, lost: 550 });
});

test("a worker whose clock stops short of the end, with nothing more due, has told everything", () => {
  const [first, second] = workerPods(loadTest({ workers: 2 })) as [Observed<Pod>, Observed<Pod>];
  const whole = counted(1, { scheduled: 1000, completed: 1000, sent: 1000 }, 1.9999);
  const pods = [succeeded(first, workerRecording(0, [[share(2)]])), succeeded(second, whole)];
  const measured = measurementOf(pods, []);
  expect(measured?.gap).toBeUndefined();
  expect(measured?.results).toMatchObject({ scheduled: 2000, completed: 2000, lost: 0 });
});

test("when no worker left a result there are no results, and the verdict says so", () => {
  const pods = workerPods(loadTest({ workers: 2 })).map((pod) => ended(pod, "Failed"));
  const measured = measurementOf(pods, []);
  expect(measured).toMatchObject({ results: undefined, gap: { lost: 2000 } });
  expect(passedFinding(measured)).toMatchObject({ status: "Unknown", reason: "ResultsIncomplete" });
});

test("the requests that a silent worker was due to send are those of its plan, stages and Poisson arrivals too", () => {
  const specs: [spec: Partial<LoadTestSpec>, others: number, lost: number][] = [
    [{ workers: 3, requestsPerSecond: 1000 }, 666, 668],
    [{ workers: 1, arrivals: "Poisson" }, 0, 2000],
    [{ workers: 2, requestsPerSecond: 100, stages: [{ duration: "10s", requestsPerSecond: 300 }] }, 1000, 1000],
  ];
  for (const [{ stages, ...spec }, others, lost] of specs) {
    const test = loadTest(spec);
    if (stages !== undefined) {
      delete test.spec.duration;
      test.spec.stages = stages;
    }
    const pods = workerPods(test).map((pod, i) =>
      i === 0
        ? ended(pod, "Failed")
        : succeeded(pod, counted(i, { scheduled: others, completed: others }, stages ? 10 : 2)),
    );
    expect(measurementOf(pods, [])?.gap?.lost).toBe(lost);
  }
});

test.each<
  [what: string, recording: WorkerRecording, thresholds: Threshold[], status: string, reason: string, words: string]
>([
  [
    "every request completed",
    workerRecording(0, [[share(1)]]),
    [],
    "True",
    "ThresholdsKept",
    "No thresholds are given; every request completed.",
  ],
  [
    "a threshold is kept",
    workerRecording(0, [[share(1)]]),
    [p99(2e6)],
    "True",
    "ThresholdsKept",
    "Every threshold was kept; every request completed.",
  ],
  [
    "a latency is too long",
    workerRecording(0, [[share(1, 12.345e6)]]),
    [p99(10e6)],
    "False",
    "ThresholdsBroken",
    "Broken: p99 is 12.35ms, must be at most 10ms.",
  ],
  [
    "two shares are broken",
    counted(0, { scheduled: 2000, completed: 1900, failed: { refused: 100 }, sent: 2000 }),
    [
      { name: "errorRate", value: 0.001 },
      { name: "minRate", value: 0.99 },
    ],
    "False",
    "ThresholdsBroken",
    "Broken: errorRate is 5%, must be at most 0.1%; minRate is 95%, must be at least 99%.",
  ],
  [
    "nothing completed",
    counted(0, { scheduled: 2000, failed: { refused: 2000 } }),
    [],
    "False",
    "NothingCompleted",
    "Not one request completed.",
  ],
  [
    "everything is lost",
    counted(0, { scheduled: 2000, lost: 2000 }),
    [],
    "Unknown",
    "ResultsIncomplete",
    "2000 requests that were due before",
  ],
  [
    "the generator was late by itself",
    late(),
    [p99(1)],
    "Unknown",
    "GeneratorSaturated",
    "The generator sent late by itself",
  ],
  [
    "a worker began late",
    counted(0, { scheduled: 2000, completed: 1900, lost: 100 }),
    [],
    "Unknown",
    "ResultsIncomplete",
    "100 requests that were due before",
  ],
])("the condition Passed, when %s", (_, recording, thresholds, status, reason, words) => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  const finding = passedFinding(measurementOf([succeeded(pod, recording)], thresholds));
  expect(finding).toMatchObject({ type: "Passed", status, reason, message: expect.stringContaining(words) as never });
});

function late(): WorkerRecording {
  const recording = workerRecording(0, [[share(1)]]);
  for (let i = 0; i < 100; i++) recording.generator.slip.record(5e6);
  return recording;
}

test.each<[what: string, recording: WorkerRecording, display: Display]>([
  ["2000 requests of 1 ms", workerRecording(0, [[share(1)]]), { rps: "1000", errors: "0%", p99: "1ms" }],
  ["more digits than matter", workerRecording(0, [[share(1, 12.345e6)]]), { rps: "1000", errors: "0%", p99: "12.3ms" }],
  [
    "nearly nothing",
    counted(0, { scheduled: 2000, completed: 37, failed: { dns: 1963 } }),
    { rps: "18.5", errors: "98.2%", p99: "0s" },
  ],
  [
    "one missing",
    counted(0, { scheduled: 2000, completed: 1999, timedOut: 1 }),
    { rps: "1000", errors: "0.05%", p99: "0s" },
  ],
])("the display of %s is exactly so", (_, recording, display) => {
  const [pod] = workerPods(loadTest()) as [Observed<Pod>];
  expect(displayOf(resultsOf([succeeded(pod, recording)]))).toEqual(display);
});

test("the results of 32 long paths through 16 backends, with every status code there is, take less than 64 KiB", () => {
  const codes = (worker: number) =>
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [100 + worker * 60 + i, 12_345_678 + i]));
  const names = Array.from({ length: 32 }, (_, i) => `/${i}`.padEnd(1000, "x"));
  const test = loadTest({ workers: 5, paths: names });
  const pods = workerPods(test, 16).map((pod, worker) => {
    const recorded = Array.from({ length: 16 }, () => Array.from({ length: 32 }, () => completed([1e6, 123_456_789])));
    const [first] = recorded.flat() as [Recording];
    first.account.statusCodes = codes(worker);
    return succeeded(pod, workerRecording(worker, recorded));
  });
  const results = resultsOf(pods);
  expect(results.backends?.length).toBe(16);
  expect(results.paths?.length).toBe(32);
  expect(Object.keys(results.statusCodes).length).toBe(100);
  expect(JSON.stringify(results).length).toBeLessThan(48 * 1024);
});
