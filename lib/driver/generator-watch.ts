// An eye on the generator itself while it runs: how late it is, how much of its core it uses, what it runs out of.
import { cpuThrottledNs, cpuUsedNs } from "../runtime/process.ts";
import { emptyGeneratorReport, type GeneratorReport } from "../stats/generator.ts";

/** The event loop turns far more often; a longer gap is a pause. */
const pauseNs = 50e6;
/** A core used for this share of an interval is full. */
const fullShare = 0.9;

export class GeneratorWatch {
  readonly #report: GeneratorReport = emptyGeneratorReport();
  #startNs = 0;
  #startCpuNs = 0;
  #startThrottledNs = 0;
  #lastNs = 0;
  #lastCpuNs = 0;

  /** Goes on from what an earlier process has seen; before the beginning. */
  resume({ slip, connectionWait, counters }: GeneratorReport): void {
    this.#report.slip.merge(slip);
    this.#report.connectionWait.merge(connectionWait);
    Object.assign(this.#report.counters, counters);
  }

  begin(nowNs: number): void {
    const { elapsedNs, cpuNs, throttledNs } = this.#report.counters;
    this.#lastNs = nowNs;
    this.#lastCpuNs = cpuUsedNs();
    this.#startNs = nowNs - elapsedNs;
    this.#startCpuNs = this.#lastCpuNs - cpuNs;
    this.#startThrottledNs = cpuThrottledNs() - throttledNs;
  }

  /** A request leaves that the generator has held up for `lateNs`, and the want of a connection for `waitNs`. Hot. */
  recordSend(lateNs: number, waitNs: number): void {
    this.#report.slip.record(lateNs);
    this.#report.connectionWait.record(waitNs);
  }

  /** A request is given up unsent although a connection is free. */
  recordNeglect(waitedNs: number): void {
    this.#report.slip.record(waitedNs);
    this.#report.counters.neglected++;
  }

  /** A connection could not be opened, for the operating system's reason `code`. */
  recordConnectFailure(code: string): void {
    if (code === "EMFILE" || code === "ENFILE") this.#report.counters.outOfFiles++;
    if (code === "EADDRNOTAVAIL") this.#report.counters.outOfPorts++;
  }

  /** Looks at the process every few milliseconds; `isOwing`: requests are waiting for a connection. */
  check(nowNs: number, isOwing: boolean): void {
    const { counters } = this.#report;
    const gapNs = nowNs - this.#lastNs;
    const cpuNs = cpuUsedNs();
    const isFull = cpuNs - this.#lastCpuNs > gapNs * fullShare;
    if (isFull && isOwing) counters.saturatedNs += gapNs;
    if (gapNs >= pauseNs && isFull) counters.busyPauseNs += gapNs;
    else if (gapNs >= pauseNs) counters.idlePauseNs += gapNs;
    this.#lastNs = nowNs;
    this.#lastCpuNs = cpuNs;
  }

  /** All that was seen until `nowNs`; the histograms are the watch's own. */
  report(nowNs: number): GeneratorReport {
    const { counters } = this.#report;
    counters.elapsedNs = nowNs - this.#startNs;
    counters.cpuNs = cpuUsedNs() - this.#startCpuNs;
    counters.throttledNs = cpuThrottledNs() - this.#startThrottledNs;
    return this.#report;
  }
}
