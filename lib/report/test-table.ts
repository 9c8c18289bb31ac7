// LoadTests of a cluster, a line each, as `kubectl get` shows them.
import type { LoadTest } from "../loadtest/load-test.ts";
import { plainText } from "../loadtest/plain-text.ts";
import { formatClock } from "./quantity.ts";

const gap = "   ";
const none = "";

/** A line of the table; its cells but the age are the same as long as nothing happens. */
export interface TestRow {
  namespace: string;
  cells: readonly string[];
  age: string;
}

export function testRow({ metadata, spec, status }: LoadTest, nowMs: number): TestRow {
  const { phase = "Pending", display, workers } = status ?? {};
  return {
    namespace: metadata.namespace,
    cells: [
      metadata.name,
      phase,
      String(spec.requestsPerSecond),
      display?.rps ?? none,
      display?.errors ?? none,
      display?.p99 ?? none,
      workers === undefined ? none : `${workers.ready}/${workers.desired}`,
    ],
    age: formatClock(Math.max(0, nowMs - Date.parse(metadata.creationTimestamp)) / 1000),
  };
}

const heads = ["NAME", "STATUS", "TARGET-RPS", "RPS", "ERR%", "P99", "WORKERS", "AGE"];

/** Cells as wide as those that are most often to come. */
const usual = ["", "Starting", "", "1000.0", "12.3%", "12.3ms", "10/10", ""];

/**
 * A head, and a line for each; the namespaces too, where they are not the same for all.
 *
 * @param isGrowing Other lines are to follow under these.
 */
export function testTable(rows: readonly TestRow[], hasNamespaces: boolean, isGrowing = false): string[] {
  const lines = rows.map(({ namespace, cells, age }) => [...(hasNamespaces ? [namespace] : []), ...cells, age]);
  const later = isGrowing ? [...(hasNamespaces ? [""] : []), ...usual] : [];
  return aligned([[...(hasNamespaces ? ["NAMESPACE"] : []), ...heads], ...lines], later);
}

/** Columns under each other, each as wide as its widest cell, those of another line, `unseen`, included. */
export function aligned(texts: readonly (readonly string[])[], unseen: readonly string[] = []): string[] {
  const rows = texts.map((cells) => cells.map((cell) => plainText(cell)));
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...[...rows, unseen].map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}
