// Admission as users meet it: dry runs, which nobody stores. A good LoadTest comes back with its default; one that breaks
// a rule of the kind is refused, whoever is away; and a Canary that only the validator knows to be bad is refused in its
// words. So each webhook has shown that the API server reaches and trusts it.
import { type Finding, failure, ok } from "../../cert/finding.ts";
import { ApiError, isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { canaries, loadtests, type Resource } from "../../kube/resource.ts";
import { apiVersion } from "../../loadtest/api-group.ts";
import { defaultPaths } from "../../loadtest/defaults.ts";
import { defaulter, validator } from "../../manifest/names.ts";
import type { KubeObject } from "../../plan/objects.ts";
import { badCanary } from "../probe.ts";

const name = "loadtest-doctor";
const spec = { service: name, scheme: "http", requestsPerSecond: 1, duration: "1s" } as const;

/** What became of an object that nobody stores. */
export type DryRun =
  | { outcome: "taken"; object: KubeObject & { spec?: { paths?: readonly string[] } } }
  | { outcome: "refused"; code: number; said: string };

export interface DryRuns {
  good: DryRun;
  /** Against a rule of its kind. */
  malformed: DryRun;
  /** Known to be bad by the validator alone. */
  unnamed: DryRun;
}

export interface Proof {
  findings: readonly Finding[];
  /** Whether the validating webhook has answered, over a chain that the API server trusts. */
  hasAnswered: boolean;
}

/** @param hasWebhooks Whether there are to be any. Rejects when the caller may not create such objects. */
export async function proveAdmission(client: KubeClient, namespace: string, hasWebhooks: boolean): Promise<Proof> {
  const loadTest = (spec: object) => ({ apiVersion, kind: "LoadTest", metadata: { name, namespace }, spec });
  const [good, malformed, unnamed] = await Promise.all([
    dryRun(client, loadtests as Resource<KubeObject>, loadTest(spec)),
    dryRun(client, loadtests as Resource<KubeObject>, loadTest({ ...spec, canary: name })),
    dryRun(client, canaries as Resource<KubeObject>, badCanary(namespace)),
  ]);
  return judgeAdmission({ good, malformed, unnamed }, hasWebhooks);
}

/** In its namespace, or in one that is always there. */
async function dryRun(client: KubeClient, resource: Resource<KubeObject>, object: KubeObject): Promise<DryRun> {
  try {
    return { outcome: "taken", object: await client.create(resource, object, { dryRun: true }) };
  } catch (error: unknown) {
    if (isNotFound(error) && object.metadata.namespace !== "default") {
      return dryRun(client, resource, { ...object, metadata: { ...object.metadata, namespace: "default" } });
    }
    if (!(error instanceof ApiError) || isOfCaller(error)) throw error;
    return { outcome: "refused", code: error.code, said: error.said };
  }
}

/** By RBAC, and not by admission; or the kind is not there. */
function isOfCaller({ code, said }: ApiError): boolean {
  return code === 404 || (code === 403 && said.includes("cannot create resource"));
}

export function judgeAdmission({ good, malformed, unnamed }: DryRuns, hasWebhooks: boolean): Proof {
  const hasAnswered =
    unnamed.outcome === "refused" && unnamed.said.includes(`"${validator.webhook}" denied the request`);
  const findings = [judgeGood(good, hasWebhooks), judgeMalformed(malformed)];
  return { findings: hasWebhooks ? [...findings, judgeUnnamed(unnamed, hasAnswered)] : findings, hasAnswered };
}

const whereToLook = "see what is said of webhooks, of certificates and of the Service";

function judgeGood(good: DryRun, hasWebhooks: boolean): Finding {
  const subject = "dry run of a good LoadTest";
  if (good.outcome === "refused") return failure(subject, `refused: ${good.said}`, remedyFor(good.said));
  if (!hasWebhooks) return ok(subject, "taken, by the kinds' own rules");
  if (good.object.spec?.paths?.join() === defaultPaths.join()) {
    return ok(subject, `taken and filled in: ${defaulter.webhook} answers, and the API server trusts it`);
  }
  const message = `taken, but nothing is filled in: the API server got no answer from ${defaulter.webhook}`;
  return failure(subject, message, whereToLook);
}

function judgeMalformed(malformed: DryRun): Finding {
  const subject = "dry run of a malformed LoadTest";
  if (malformed.outcome === "refused") {
    return malformed.code === 422
      ? ok(subject, "refused by the kinds' own rules")
      : failure(subject, `refused for another reason: ${malformed.said}`, remedyFor(malformed.said));
  }
  const message = "taken, though it names two targets: the kind lacks its rules";
  return failure(subject, message, "loadtest install, which sets the kinds and their rules right");
}

function judgeUnnamed(unnamed: DryRun, hasAnswered: boolean): Finding {
  const subject = "dry run of a bad Canary";
  if (hasAnswered) return ok(subject, `refused by ${validator.webhook}: it answers, and the API server trusts it`);
  if (unnamed.outcome === "refused") return failure(subject, `refused: ${unnamed.said}`, remedyFor(unnamed.said));
  const message = `taken: the API server got no answer from ${validator.webhook}, or asked nobody`;
  return failure(subject, message, whereToLook);
}

function remedyFor(said: string): string {
  return said.includes("failed calling webhook") ? whereToLook : "see what the API server complains of";
}
