// An admission endpoint in this process, with a certificate of its own and a log that is kept.
import pino from "pino";
import { Registry } from "prom-client";
import { selfSigned } from "../../lib/pki/self-signed.ts";
import { type Admission, type AdmissionOptions, startAdmission } from "../../lib/webhook/admission.ts";
import type { ServingCertificate } from "../../lib/webhook/certificate.ts";
import { Client } from "./client.ts";

export interface Serving {
  admission: Admission;
  port: number;
  /** Lines of the log. */
  logged: string[];
  /** By TLS, or as the endpoint is plain. */
  open(): Promise<Client>;
  /** A metric's value for these labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

export async function serving(
  options: Partial<AdmissionOptions> = {},
  certificate?: ServingCertificate,
): Promise<Serving> {
  const registry = new Registry();
  const logged: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(line) });
  const admission = await startAdmission({ hostname: "127.0.0.1", port: 0, log, registry, ...options });
  const pair = certificate ?? (await newCertificate());
  if (options.isPlain !== true) admission.useCertificate(pair);
  return {
    admission,
    port: admission.port,
    logged,
    open: () => Client.open(admission.port, options.isPlain === true ? undefined : { ca: pair.certPem }),
    metric: async (name, labels = {}) => {
      const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {};
      const isAsked = (one: object) => Object.entries(labels).every(([key, value]) => one[key as never] === value);
      return values.filter((one) => isAsked(one.labels)).reduce((sum, one) => sum + one.value, 0);
    },
  };
}

/** For localhost, valid now. */
export async function newCertificate(): Promise<ServingCertificate> {
  const { certificatePem, keyPem } = await selfSigned({
    keys: await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    serialNumber: crypto.randomUUID().replaceAll("-", ""),
    notBeforeMs: Date.now() - 3600e3,
    notAfterMs: Date.now() + 3600e3,
  });
  return { certPem: certificatePem, keyPem };
}
