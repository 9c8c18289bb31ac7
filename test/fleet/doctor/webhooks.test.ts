// What the doctor says of registrations, certificates and dry runs.
import { describe, expect, test } from "bun:test";
import { encodeText } from "../../../lib/cert/base64.ts";
import { type DryRun, judgeAdmission } from "../../../lib/fleet/doctor/admission.ts";
import { judgeRegistration, type Registration } from "../../../lib/fleet/doctor/registrations.ts";
import { judgeServing } from "../../../lib/fleet/doctor/serving.ts";
import { validatingConfiguration } from "../../../lib/manifest/webhooks.ts";
import { sampleAuthority, sampleLeaf } from "../../pki/samples.ts";
import { cluster, named, nowMs, said } from "./samples.ts";

describe("webhooks", async () => {
  const authority = await sampleAuthority();
  const chainPem = await sampleLeaf(authority);
  const bundlePem = authority.certificatePem;
  const desired = validatingConfiguration() as unknown as Registration;
  const hook = desired.webhooks?.[0] as NonNullable<Registration["webhooks"]>[number];
  const caBundle = encodeText(bundlePem);
  const registered = (changes: object = {}, place: object = { caBundle }): Registration => ({
    ...desired,
    webhooks: [
      {
        ...hook,
        namespaceSelector: {},
        objectSelector: {},
        clientConfig: { ...hook.clientConfig, ...place },
        ...changes,
      },
    ],
  });
  test.each([
    ["as it should be", registered(), "ok: registered, failurePolicy Fail"],
    ["absent", undefined, "failure: it is not registered: the API server asks nobody"],
    [
      "of another name",
      registered({ name: "other" }),
      "failure: it has no webhook validator.kuar.com: the API server asks nobody",
    ],
    ["new", registered({}, {}), "failure: it has no caBundle yet, so that the API server trusts no answer"],
    ["with junk", registered({}, { caBundle: "anVuaw==" }), "failure: its caBundle holds no certificate"],
    [
      "failing open",
      registered({ failurePolicy: "Ignore" }),
      "warning: failurePolicy is Ignore: without an answer everything is stored that the kinds' own rules allow",
    ],
    [
      "for some objects",
      registered({ objectSelector: { matchLabels: { a: "b" } } }),
      'warning: it asks about some objects only, those of {"matchLabels":{"a":"b"}}',
    ],
    [
      "slow",
      registered({ timeoutSeconds: 30 }),
      "warning: another than this binary's: validator.kuar.com.timeoutSeconds differs",
    ],
    [
      "elsewhere",
      registered({ clientConfig: { url: "https://x", caBundle } }),
      "warning: another than this binary's: validator.kuar.com.clientConfig.service differs",
    ],
  ])("%s", (_, found, words) => {
    expect(said(judgeRegistration(cluster, desired, found, nowMs))).toBe(words);
  });

  test("a caBundle that has ended is a failure", () => {
    const later = nowMs + 100 * 365 * 86_400e3;
    expect(said(judgeRegistration(cluster, desired, registered(), later))).toStartWith(
      "failure: its caBundle ended at ",
    );
  });

  const question = { bundlePem, host: "a.example", hasAnswered: true, nowMs };
  const shown = (by: string, pem: string) => ({ by, handshake: { fingerprint: by, chainPem: pem } });
  const silent = { by: "b", handshake: { silence: "no answer in 2000 ms" } };
  test("who cannot be reached is not checked, and that is only in order when the API server has got an answer", () => {
    expect(judgeServing({ ...question, presented: [silent] }).map(said)).toEqual([
      "ok: not checked from here (b: no answer in 2000 ms); the API server trusts it, as the dry run shows",
    ]);
    expect(
      judgeServing({ ...question, hasAnswered: false, presented: [{ by: "c", handshake: { refused: true } }] }).map(
        said,
      ),
    ).toEqual(["warning: not checked from here (c: nobody listens)"]);
    expect(judgeServing({ ...question, hasAnswered: false, presented: [] }).map(said)).toEqual([
      "warning: not checked from here (nobody serves it)",
    ]);
  });

  test("what the bundle does not vouch for is a failure, whoever else is silent", () => {
    const [finding] = judgeServing({ ...question, host: "b.example", presented: [silent, shown("a", chainPem)] });
    expect(finding?.level).toBe("failure");
    expect(finding?.message).toStartWith("refused by the caBundle, by a: certificate");
  });

  test("what all present and the bundle vouches for is in order; for a while they may differ", async () => {
    const presented = [shown("a", chainPem), shown("b", chainPem)];
    expect(judgeServing({ ...question, presented }).map(said)).toEqual([
      "ok: by all 2 endpoints, for a.example, trusted by the caBundle",
    ]);
    const newer = shown("b", await sampleLeaf(authority, { serialNumber: "03" }));
    expect(judgeServing({ ...question, presented: [shown("a", chainPem), newer] }).map(({ level }) => level)).toEqual([
      "warning",
    ]);
  });
});

describe("dry runs", () => {
  const taken = (paths?: string[]): DryRun => ({
    outcome: "taken",
    object: { ...named("LoadTest", "x"), spec: paths ? { paths } : {} },
  });
  const refused = (words: string, code = 400): DryRun => ({ outcome: "refused", code, said: words });
  const good = taken(["/index.html"]);
  const malformed = refused("spec.service: must be given", 422);
  const unnamed = refused('admission webhook "validator.kuar.com" denied the request: too long', 422);
  const levels = (runs: Parameters<typeof judgeAdmission>[0], hasWebhooks = true) => {
    const { findings, hasAnswered } = judgeAdmission(runs, hasWebhooks);
    return [...findings.map(({ level }) => level), hasAnswered];
  };
  test.each([
    ["all as it should be", { good, malformed, unnamed }, ["ok", "ok", "ok", true]],
    ["nothing filled in", { good: taken(), malformed, unnamed }, ["failure", "ok", "ok", true]],
    ["a validator that is not asked", { good, malformed, unnamed: taken() }, ["ok", "ok", "failure", false]],
    [
      "a validator that is away",
      { good: refused("failed calling webhook"), malformed, unnamed: refused("failed calling webhook", 500) },
      ["failure", "ok", "failure", false],
    ],
    ["a kind without rules", { good, malformed: taken(), unnamed }, ["ok", "failure", "ok", true]],
  ])("%s", (_, runs, expected) => {
    expect(levels(runs)).toEqual(expected as never);
  });

  test("without webhooks the kinds' own rules are all that is asked for", () => {
    expect(levels({ good: taken(), malformed, unnamed: taken() }, false)).toEqual(["ok", "ok", false]);
  });
});
