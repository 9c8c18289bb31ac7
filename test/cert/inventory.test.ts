import { expect, test } from "bun:test";
import { judgeLife } from "../../lib/cert/inventory.ts";
import { sampleAuthority } from "../pki/samples.ts";

const day = 24 * 3600e3;
const beginMs = Date.UTC(2026, 0, 1);
const { certificatePem: ofAYear } = await sampleAuthority({ notBeforeMs: beginMs, notAfterMs: beginMs + 360 * day });
const { certificatePem: ofThirtyDays } = await sampleAuthority({
  notBeforeMs: beginMs,
  notAfterMs: beginMs + 30 * day,
});

test.each<[pem: string, days: number, level: string, words: string]>([
  [ofAYear, 0, "ok", "good for 360 days, until 2026-12-27T00:00:00.000Z"],
  [ofAYear, 240, "ok", "good for 120 days"],
  [ofAYear, 240.1, "warning", "good for 119 days"],
  [ofAYear, 358.9, "warning", "good for a day"],
  [ofAYear, 359.9, "warning", "good for less than a day"],
  [ofAYear, 360, "failure", "ended at 2026-12-27T00:00:00.000Z"],
  [ofThirtyDays, 0.1, "warning", "good for 29 days"],
])("a life is judged by what is left of it", (pem, days, level, words) => {
  const finding = judgeLife("authority", pem, "renew it", beginMs + days * day);
  expect(finding.level as string).toBe(level);
  expect(finding.message).toContain(words);
  expect(finding.remedy).toBe(level === "ok" ? undefined : "renew it");
  expect(finding.expiresAt).toBe(new Date(beginMs + (pem === ofAYear ? 360 : 30) * day).toISOString());
});
