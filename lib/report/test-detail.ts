// One LoadTest of a cluster, whole: where it stands, what it does, what there is to say of it, and where its results are.
import type { LoadTest } from "../loadtest/load-test.ts";
import { badCount } from "./failure.ts";
import { paragraph } from "./paragraph.ts";
import { formatClock, formatCount, formatUs } from "./quantity.ts";
import { aligned } from "./test-table.ts";
import { thresholdLines } from "./threshold-text.ts";

/** Lines of 80 columns, where names and messages allow. */
export function testDetail({ metadata, spec, status = {} }: LoadTest, resultName: string, nowMs: number): string[] {
  const { phase = "Pending", conditions = [], workers, display, startTime, completionTime, results } = status;
  const target = spec.canary === undefined ? `Service ${spec.service}` : `Canary ${spec.canary}`;
  const asked = `${formatCount(spec.requestsPerSecond)}/s`;
  const sinceMs = startTime === undefined ? undefined : Date.parse(startTime);
  const untilMs = completionTime === undefined ? nowMs : Date.parse(completionTime);
  const seconds = sinceMs === undefined ? undefined : Math.max(0, untilMs - sinceMs) / 1000;
  return [
    ...paragraph(
      "LoadTest",
      `${metadata.namespace}/${metadata.name}, ${phase}${seconds === undefined ? "" : `, ${formatClock(seconds)}`}`,
    ),
    ...paragraph("Target", `${spec.scheme} of ${target}, ${asked}${spec.stages === undefined ? "" : " at the start"}`),
    ...(workers === undefined || workers.desired === 0
      ? []
      : paragraph("Workers", `${workers.ready} of ${workers.desired} run`)),
    ...(display === undefined
      ? []
      : paragraph("Load", `${display.rps}/s completed · ${display.errors} errors · p99 ${display.p99}`)),
    ...(results === undefined ? [] : outcome(results)),
    ...(results === undefined || results.thresholds.length === 0 ? [] : ["", ...thresholdLines(results.thresholds)]),
    ...(conditions.length === 0 ? [] : [""]),
    ...aligned(conditions.map(({ type, status: holds, reason, message }) => [type, holds, reason, message])),
    ...(results === undefined ? [] : ["", ...paragraph("Results", whereResultsAre(metadata.namespace, resultName))]),
  ];
}

function outcome(results: NonNullable<NonNullable<LoadTest["status"]>["results"]>): string[] {
  const { scheduled, sent, completed, latencyUs, valid, invalidReasons } = results;
  const { p50, p99, max } = latencyUs;
  const counts = [
    `${formatCount(scheduled)} scheduled`,
    `${formatCount(sent)} sent`,
    `${formatCount(completed)} completed`,
  ];
  const bad = badCount(results);
  return [
    ...paragraph("Requests", [...counts, ...(bad === 0 ? [] : [`${formatCount(bad)} failed`])].join(" · ")),
    ...paragraph("Latency", `p50 ${formatUs(p50)} · p99 ${formatUs(p99)} · max ${formatUs(max)}`),
    ...(valid ? [] : invalidReasons.flatMap((reason) => paragraph("Invalid", reason))),
  ];
}

function whereResultsAre(namespace: string, name: string): string {
  return `kubectl get ltr ${name} -n ${namespace} -o yaml: histograms and the run second by second`;
}
