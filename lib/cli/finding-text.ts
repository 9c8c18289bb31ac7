// Findings as text: a line each, with what to do below those that are not in order.
import type { Finding } from "../cert/finding.ts";

const width = 9;

export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ subject, level, message, remedy }) => [
    `${(level === "ok" ? "OK" : level).padEnd(width)}${subject}: ${message}`,
    ...(remedy === undefined ? [] : [`${" ".repeat(width)}→ ${remedy}`]),
  ]);
  return `${lines.join("\n")}\n`;
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ level }) => level !== "failure");
}

/** `28 in order, 1 warning, no failure`. */
export function countFindings(findings: readonly Finding[]): string {
  const of = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  const some = (count: number, word: string) => `${count === 0 ? "no" : count} ${word}${count > 1 ? "s" : ""}`;
  return `${of("ok")} in order, ${some(of("warning"), "warning")}, ${some(of("failure"), "failure")}`;
}
