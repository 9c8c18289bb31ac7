// Tells what becomes of the serving certificate: Events and a condition of the Service, and metrics.
import { Counter, Gauge, type Registry } from "prom-client";
import type { KubeClient } from "../kube/client.ts";
import { recordEvent } from "../kube/events.ts";
import { services } from "../kube/resource.ts";
import { extensionName, extensionNamespace } from "../manifest/names.ts";
import { describeCertificate } from "../pki/certificate.ts";
import type { ServingStep } from "../pki/serving.ts";
import { ConditionWriter, servingFinding } from "./condition.ts";
import type { ServingStore } from "./serving-store.ts";

type Taken = Exclude<ServingStep["kind"], "prove" | "wait" | "rest">;

const texts: Record<Taken, { reason: string; action: string; note: string }> = {
  makeAuthority: { reason: "AuthorityCreated", action: "CreateAuthority", note: "made a certificate authority" },
  trust: { reason: "BundleWritten", action: "WriteBundle", note: "wrote the caBundle of the webhooks" },
  issue: { reason: "CertificateIssued", action: "IssueCertificate", note: "issued a serving certificate" },
};

export class Announcer {
  readonly #client: KubeClient;
  readonly #instance: string;
  readonly #condition: ConditionWriter;
  readonly #steps: Counter<"step">;
  readonly #authorityNotAfter: Gauge;

  /** @param instance Which of several controllers this is. */
  constructor(client: KubeClient, instance: string, registry: Registry) {
    this.#client = client;
    this.#instance = instance;
    this.#condition = new ConditionWriter(client);
    this.#steps = new Counter({
      name: "loadtest_certificate_steps_total",
      help: "Steps taken to keep the serving certificate in order.",
      labelNames: ["step"],
      registers: [registry],
    });
    this.#authorityNotAfter = new Gauge({
      name: "loadtest_certificate_authority_not_after_seconds",
      help: "When the authority of the serving certificate expires, seconds since the Unix epoch.",
      registers: [registry],
    });
    for (const step of Object.keys(texts)) this.#steps.inc({ step }, 0);
  }

  async tellStep(step: ServingStep): Promise<void> {
    if (!(step.kind in texts)) return;
    this.#steps.inc({ step: step.kind });
    const { reason, action, note } = texts[step.kind as Taken];
    const why = "reason" in step ? `: ${step.reason}` : "";
    const key = { namespace: extensionNamespace, name: extensionName };
    const { uid } = (await this.#client.get(services, key)).metadata;
    const regarding = { apiVersion: "v1", kind: "Service", ...key, uid };
    await recordEvent(this.#client, regarding, this.#instance, { type: "Normal", reason, action, note: note + why });
  }

  async tellState(store: ServingStore, step: ServingStep): Promise<void> {
    const { authority } = store;
    if (authority !== undefined) {
      this.#authorityNotAfter.set(describeCertificate(authority.certificatePem).notAfterMs / 1000);
    }
    await this.#condition.write(servingFinding(store, step));
  }
}
