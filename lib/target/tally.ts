// What reached the target, counted without allocation while it happens.
import { ArrivalLog } from "./arrival-log.ts";
import { PathCounts } from "./path-counts.ts";
import type { RequestReader } from "./request-reader.ts";

export class Tally {
  /** Requests whose head was read and accepted; refused ones show as responses alone. */
  requests = 0;
  firstArrivalNs = 0;
  lastArrivalNs = 0;
  connections = 0;
  /** Connections ended by an error on this side or in TLS. */
  connectionErrors = 0;
  bytesReceived = 0;
  bytesSent = 0;
  readonly paths = new PathCounts();
  readonly arrivals: ArrivalLog;

  constructor(maxArrivals: number) {
    this.arrivals = new ArrivalLog(maxArrivals);
  }

  /** Counts the request whose head `reader` has just completed. */
  addRequest(reader: RequestReader, arrivedAtNs: number): void {
    if (this.requests === 0) this.firstArrivalNs = arrivedAtNs;
    this.lastArrivalNs = arrivedAtNs;
    this.requests++;
    this.arrivals.add(arrivedAtNs);
    this.paths.add(reader.pathBytes, reader.pathStart, reader.pathEnd, reader.pathHash);
  }
}
