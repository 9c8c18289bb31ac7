// What an uninstallation would take away, for the one who is asked.
import { namespaceOf, type Removal } from "../fleet/removal.ts";
import { formatObject } from "../fleet/resources.ts";
import type { KubeObject } from "../plan/objects.ts";

/** Lines without indentation: what is the users' first, then what is the extension's. */
export function removalLines(removal: Removal): string[] {
  const { data, results, workers, strangers, own, scope, keptKinds } = removal;
  const lines: string[] = [];
  for (const [kind, objects] of Map.groupBy(data, (object) => object.kind)) {
    lines.push(`${objects.length} ${plural(kind, objects.length)}: ${perNamespace(countByNamespace(objects))}`);
  }
  if (results.size > 0) {
    const total = [...results.values()].reduce((sum, count) => sum + count, 0);
    lines.push(`${total} ${plural("LoadTestResult", total)}: ${perNamespace(results)}`);
  }
  if (workers.length > 0) {
    const count = `${workers.length} worker ${plural("Pod", workers.length)}`;
    lines.push(`${count} with the load that they make: ${perNamespace(countByNamespace(workers))}`);
  }
  if (strangers.length > 0) lines.push(`in its namespace, of somebody else: ${strangers.map(formatObject).join(", ")}`);
  lines.push(...[...own.values()].flat().map(formatObject));
  if (keptKinds !== undefined && !scope.keepsKinds) lines.push(`(the kinds stay: ${keptKinds})`);
  return lines;
}

function plural(kind: string, count: number): string {
  if (count === 1) return kind;
  return kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

function countByNamespace(objects: readonly KubeObject[]): Map<string, number> {
  const groups = Map.groupBy(objects, namespaceOf);
  return new Map([...groups].map(([namespace, { length }]) => [namespace, length]));
}

function perNamespace(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([namespace, count]) => `${count} in ${namespace}`).join(", ");
}
