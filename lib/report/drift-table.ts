// What differs between clusters, a line each: the same on several clusters is one line.
import { aligned } from "./test-table.ts";

export interface DriftRow {
  context: string;
  object: string;
  /** Empty: the whole object. */
  field: string;
  found?: unknown;
  wanted?: unknown;
  /** The context whose value is wanted; absent: everybody's. */
  as?: string;
}

const heads = ["CONTEXT", "OBJECT", "FIELD", "FOUND", "WANTED"];
const longestValue = 48;
/** Of a long text that differs, shown before the place where it does. */
const lead = 12;

/** Of a list's item. */
const longKey = /\[([^[\]]{40})[^[\]]{8,}\]/g;

/** A head, and the lines in the order of the rows; none without rows. */
export function driftTable(rows: readonly DriftRow[]): string[] {
  if (rows.length === 0) return [];
  const lines = new Map<string, string[]>();
  for (const row of rows) {
    const cells = cellsOf(row);
    const key = JSON.stringify(cells);
    const [contexts, ...others] = lines.get(key) ?? ["", ...cells];
    lines.set(key, [contexts === "" ? row.context : `${contexts}, ${row.context}`, ...others]);
  }
  return aligned([heads, ...lines.values()]);
}

function cellsOf({ object, field, found, wanted, as }: DriftRow): string[] {
  const start = typeof found === "string" && typeof wanted === "string" ? startOfExcerpt(found, wanted) : 0;
  const text = field === "" ? presence(found, wanted) : [formatValue(found, start), formatValue(wanted, start)];
  const [foundText = "", wantedText = ""] = text;
  return [object, shortField(field), foundText, as === undefined ? wantedText : `${wantedText} (as in ${as})`];
}

/** Of a whole object; what it is about is more than fits. */
function presence(found: unknown, wanted: unknown): [string, string] {
  const word = (value: unknown) => (typeof value === "string" ? value : value === undefined ? "none" : "is there");
  return [word(found), word(wanted)];
}

function formatValue(value: unknown, start: number): string {
  if (value === undefined) return "none";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const excerpt = start > 0 ? `…${text.slice(start)}` : text;
  const line = excerpt.replace(/\s+/g, " ");
  return line === "" ? '""' : line.length > longestValue ? `${line.slice(0, longestValue - 1)}…` : line;
}

/** 0 where both fit; else where they begin to differ. */
function startOfExcerpt(one: string, other: string): number {
  if (Math.max(one.length, other.length) <= longestValue) return 0;
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  return Math.max(0, same - lead);
}

/** The path without what every schema has in it: `spec.versions[v1].schema.spec.port.maximum`; long keys are cut. */
function shortField(field: string): string {
  const [head = "", ...path] = field.split(".openAPIV3Schema");
  const short = path.length === 0 ? field : head + path.join("").replaceAll(".properties.", ".");
  return short.replace(longKey, "[$1…]");
}
