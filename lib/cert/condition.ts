// How things are with the serving certificate, for people and for `kubectl wait`: a condition of the Service.
import type { KubeClient } from "../kube/client.ts";
import { services } from "../kube/resource.ts";
import { extensionName, extensionNamespace } from "../manifest/names.ts";
import { describeCertificate } from "../pki/certificate.ts";
import type { ServingStep } from "../pki/serving.ts";
import type { Condition } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import type { ServingStore } from "./serving-store.ts";

export const conditionType = "ServingCertificateReady";
const fieldManager = "loadtest-certificate";
const key = { namespace: extensionNamespace, name: extensionName };

type Finding = Required<Pick<Condition, "status" | "reason" | "message">>;

/** What there is to say; the same words as long as nothing changes. */
export function servingFinding({ authority, serving, missing, foreign }: ServingStore, step: ServingStep): Finding {
  if (foreign.length > 0) {
    const message = `cert-manager writes the caBundle of ${foreign.join(", ")}; the controller must serve its certificate, by --cert-file and --key-file`;
    return { status: "Unknown", reason: "ForeignAuthority", message };
  }
  if (missing.length > 0) {
    return {
      status: "False",
      reason: "NotRegistered",
      message: `there is no ${missing.join(" and no ")}, must be applied`,
    };
  }
  if (authority === undefined || serving === undefined) {
    return { status: "False", reason: "Issuing", message: "the first certificate is being made" };
  }
  const until = (pem: string) => new Date(describeCertificate(pem).notAfterMs).toISOString();
  const validity = `certificate ${describeCertificate(serving.chainPem).serialNumber} is valid until ${until(serving.chainPem)}, its authority until ${until(authority.certificatePem)}`;
  if (step.kind === "rest") return { status: "True", reason: "Valid", message: validity };
  return { status: "True", reason: "Renewing", message: `${validity}; next: ${step.kind}, since ${step.reason}` };
}

/** Writes the condition into the Service's status where it has changed. */
export class ConditionWriter {
  readonly #client: KubeClient;
  #written: Finding | undefined;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async write(finding: Finding): Promise<void> {
    if (Bun.deepEquals(finding, this.#written)) return;
    const { status } = (await this.#client.get(services, key)) as { status?: { conditions?: Condition[] } };
    const before = status?.conditions?.find(({ type }) => type === conditionType);
    const hasTurned = before?.status !== finding.status;
    const now = new Date(nowMs()).toISOString().replace(/\.\d+Z$/, "Z");
    const condition = {
      type: conditionType,
      ...finding,
      lastTransitionTime: hasTurned ? now : (before.lastTransitionTime ?? now),
    };
    const body = { apiVersion: "v1", kind: "Service", metadata: key, status: { conditions: [condition] } };
    await this.#client.patch(
      services,
      key,
      { type: "apply", body, fieldManager, force: true },
      { subresource: "status" },
    );
    this.#written = finding;
  }
}
