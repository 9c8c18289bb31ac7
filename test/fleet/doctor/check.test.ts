// Checks that fail, that may not look, and that are late.
import { describe, expect, test } from "bun:test";
import type { Finding } from "../../../lib/cert/finding.ts";
import { runChecks } from "../../../lib/fleet/doctor/check.ts";
import { span } from "../../../lib/fleet/doctor/words.ts";
import { ApiError } from "../../../lib/kube/api-error.ts";
import { said } from "./samples.ts";

describe("checks", () => {
  const fine: Finding = { subject: "a", level: "ok", message: "fine" };
  const forbidden = (message: string) =>
    new ApiError({
      method: "GET",
      path: "/x",
      code: 403,
      body: JSON.stringify({ kind: "Status", reason: "Forbidden", message }),
      retryAfter: null,
    });
  const run = (look: () => Promise<Finding[]>, late = new AbortController().signal) =>
    runChecks(
      [
        { subject: "a", look: async () => [fine] },
        { subject: "b", look },
      ],
      late,
    );

  test("who may not look is told what is missing, and the other checks are not touched", async () => {
    const words = 'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope';
    expect((await run(() => Promise.reject(forbidden(words)))).map(said)).toEqual([
      "ok: fine",
      "warning: not known: you may not list nodes",
    ]);
  });

  test("what fails is a failure, whatever it was", async () => {
    const cause = new Error("reset");
    const [, finding] = await run(() => Promise.reject(new Error("Cannot GET", { cause })));
    expect(finding && said(finding)).toBe("failure: not known: Cannot GET: reset");
  });

  test("what has not ended in time is a failure, and what has is kept", async () => {
    const late = new AbortController();
    const all = run(() => new Promise<never>(() => undefined), late.signal);
    await Bun.sleep(1);
    late.abort();
    expect((await all).map(said)).toEqual(["ok: fine", "failure: not known: no answer in time"]);
    expect((await run(() => new Promise<never>(() => undefined), late.signal)).map(({ level }) => level)).toContain(
      "failure",
    );
  });

  test.each([
    [0, "0 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_199_000, "119 min"],
    [7_200_000, "2 h"],
    [49 * 3600e3, "2 d"],
  ])("%d ms are %s", (ms, words) => {
    expect(span(ms)).toBe(words);
  });
});
