// What the endpoint counts. Labels have a fixed set of values, whatever clients send.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { AdmissionRequest } from "../loadtest/admission-review.ts";
import { kindNamed } from "../loadtest/kind.ts";

const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

export class AdmissionMetrics {
  readonly reviews: Counter<"path" | "kind" | "operation" | "allowed">;
  readonly seconds: Histogram<"path">;
  readonly refused: Counter<"reason">;
  readonly panics: Counter;
  readonly connections: Gauge;
  readonly cut: Counter<"reason">;
  readonly certificateNotAfter: Gauge;
  readonly certificates: Counter<"outcome">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.reviews = new Counter({
      name: "loadtest_admission_reviews_total",
      help: "Reviews answered with a verdict.",
      labelNames: ["path", "kind", "operation", "allowed"],
      registers,
    });
    this.seconds = new Histogram({
      name: "loadtest_admission_seconds",
      help: "From the head of a request to its verdict.",
      labelNames: ["path"],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.refused = new Counter({
      name: "loadtest_admission_refused_total",
      help: "Requests that were no review, by what was wrong.",
      labelNames: ["reason"],
      registers,
    });
    this.panics = new Counter({
      name: "loadtest_admission_panics_total",
      help: "Reviews that ended in an internal error.",
      registers,
    });
    this.connections = new Gauge({
      name: "loadtest_admission_connections",
      help: "Open connections.",
      registers,
    });
    this.cut = new Counter({
      name: "loadtest_admission_connections_cut_total",
      help: "Connections that were closed for what their clients did or did not.",
      labelNames: ["reason"],
      registers,
    });
    this.certificateNotAfter = new Gauge({
      name: "loadtest_admission_certificate_not_after_seconds",
      help: "When the serving certificate ends, in seconds since the Unix epoch; 0 without one.",
      registers,
    });
    this.certificates = new Counter({
      name: "loadtest_admission_certificates_total",
      help: "Serving certificates that were put to use, and those that could not be.",
      labelNames: ["outcome"],
      registers,
    });
  }

  reviewed(path: string, { kind, operation }: AdmissionRequest, isAllowed: boolean): void {
    this.reviews.inc({
      path,
      kind: kindNamed(kind.kind, `${kind.group}/${kind.version}`)?.kind ?? "other",
      operation: operations.includes(operation) ? operation : "other",
      allowed: String(isAllowed),
    });
  }
}
