// A summary as text, for a person who sees one for the first time: what was done, how long it took, what to make of it.
import type { Percentiles, Summary } from "../stats/summary.ts";
import { occurred, outcomeCount, words } from "./failure.ts";
import { paragraph } from "./paragraph.ts";
import { areUneven, partTable } from "./part-table.ts";
import { formatBytes, formatCount, formatRate, formatUs } from "./quantity.ts";
import { thresholdLines } from "./threshold-text.ts";
import { verdictLines } from "./verdict.ts";

const labelWidth = 25;
const valueWidth = 9;
/** A longer slip than this, which is more than a tenth of the mean latency, is taken apart; so is that of an invalid run. */
const notableSlipUs = 1000;
const notableSlipShare = 0.1;

/** The whole summary, several lines of at most 80 columns where its names allow, with its last newline. */
export function formatSummary(summary: Summary): string {
  const paragraphs = [totals(summary), latencies(summary), ...tables(summary), thresholdLines(summary.thresholds)];
  const lines = [...paragraphs, verdictLines(summary)].filter(({ length }) => length > 0);
  return `${lines.map((paragraph) => paragraph.join("\n")).join("\n\n")}\n`;
}

function totals(summary: Summary): string[] {
  const { askedPerSecond, sentPerSecond, throughputPerSecond, statusCodes } = summary;
  const asked = askedPerSecond === null ? "" : `${formatRate(askedPerSecond)} asked · `;
  const codes = Object.entries(statusCodes).map(([code, n]) => `${code}: ${formatCount(n)}`);
  return [
    ...requests(summary),
    ...(summary.failed.unexpectedStatus === undefined ? [] : paragraph("Statuses", codes.join(" · "))),
    `Rate       ${asked}${formatRate(sentPerSecond)} sent · ${formatRate(throughputPerSecond)} completed`,
    `Data       ${formatBytes(summary.bytesSent)} sent · ${formatBytes(summary.bytesReceived)} received`,
    `Duration   ${summary.durationSeconds.toFixed(1)} s, the wait for the last responses included`,
  ];
}

/** Their numbers, and what became of those that did not complete, the most frequent first. */
function requests(summary: Summary): string[] {
  const { scheduled, sent, completed, inFlight, unsent, askedPerSecond } = summary;
  const due = askedPerSecond === null ? "" : `${formatCount(scheduled)} scheduled · `;
  const line = `Requests   ${due}${formatCount(sent)} sent · ${formatCount(completed)} completed`;
  if (completed === scheduled) return [line];
  const others = occurred(summary).map((kind): [number, string] => [outcomeCount(summary, kind), words[kind]]);
  if (inFlight > 0) others.push([inFlight, "still without a response at the end"]);
  if (unsent > 0) others.push([unsent, "never sent: no connection was free, or the run was stopped"]);
  others.sort(([a], [b]) => b - a);
  const width = formatCount(others[0]?.[0] ?? 0).length;
  return [
    `${line} · ${formatCount(scheduled - completed)} not:`,
    ...others.map(([count, why]) => `           ${formatCount(count).padStart(width)} ${why}`),
  ];
}

/** Latency and what it is made of. In a closed loop a request is due when it can be sent, so that there is no slip. */
function latencies(summary: Summary): string[] {
  const { latencyUs, serviceTimeUs, slipUs, connectionWaitUs, generatorSlipUs, askedPerSecond } = summary;
  if (latencyUs.max === 0) return [];
  const names = ["mean", "p50", "p90", "p99", "p99.9", "max"];
  const head = " ".repeat(labelWidth) + names.map((name) => name.padStart(valueWidth)).join("");
  if (askedPerSecond === null) return [head, percentiles("Latency  sent → last byte", latencyUs)];
  const isLong = slipUs.max > notableSlipUs && slipUs.mean > latencyUs.mean * notableSlipShare;
  return [
    head,
    percentiles("Latency  due → last byte", latencyUs),
    percentiles("Service  sent → last byte", serviceTimeUs),
    percentiles("Slip     due → sent", slipUs),
    ...(isLong || !summary.valid
      ? [
          percentiles("  no free connection", connectionWaitUs),
          percentiles("  the generator was late", generatorSlipUs),
        ]
      : []),
  ];
}

function percentiles(label: string, { mean, p50, p90, p99, p999, max }: Percentiles): string {
  const values = [mean, p50, p90, p99, p999, max];
  return label.padEnd(labelWidth) + values.map((us) => formatUs(us).padStart(valueWidth)).join("");
}

/** Of paths and backends, and of workers where they differ. */
function tables({ paths, backends, workers }: Summary): string[][] {
  const done = workers.map(({ completed, latencyUs }) => ({ completed, p99Us: latencyUs.p99 }));
  return [
    partTable("Path", paths, ({ path }) => path),
    partTable("Backend", backends, ({ backend }) => backend),
    areUneven(done) ? partTable("Worker", workers, ({ worker }) => `${worker}`) : [],
  ];
}
