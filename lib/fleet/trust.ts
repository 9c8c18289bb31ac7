// Whether the API server would accept the certificate that the webhooks serve: the caBundle of each webhook, by its
// certificates. Which authority it is, is no matter: each cluster has its own.
import { decodeText } from "../cert/base64.ts";
import type { Secret, WebhookConfiguration } from "../cert/resources.ts";
import { defaulter, serviceHost, validator } from "../manifest/names.ts";
import { splitBundle } from "../pki/bundle.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { chainProblem } from "../pki/chain.ts";
import type { FieldDifference } from "./field-difference.ts";

export interface CertificateFact {
  /** Such as `caBundle of kuar-validator`. */
  where: string;
  commonName: string;
  /** SHA-256, hexadecimal. */
  fingerprint: string;
  /** RFC 3339. */
  notAfter: string;
}

const ours = [validator.webhook, defaulter.webhook];

type Webhook = NonNullable<WebhookConfiguration["webhooks"]>[number];

/** What is wrong with the caBundles of one registration. `served`: the Secret of the serving certificate, if it is seen. */
export function bundleDifferences(
  { webhooks = [] }: WebhookConfiguration,
  served: Secret | undefined,
  nowMs: number,
): FieldDifference[] {
  const chainPem = decodeText(served?.data?.["tls.crt"] ?? "");
  // Of one that is none of ours, it is said that it is there.
  return webhooks
    .filter(({ name }) => ours.includes(name))
    .flatMap((webhook) => {
      const problem = bundleProblem(webhook, chainPem, nowMs);
      const field = `webhooks[${webhook.name}].clientConfig.caBundle`;
      return problem === undefined ? [] : [{ field, ...problem }];
    });
}

/** All certificates of the bundles and of the Secret that can be read. */
export function certificateFacts(
  configurations: readonly WebhookConfiguration[],
  served: Secret | undefined,
): CertificateFact[] {
  const bundles = configurations.flatMap(({ metadata, webhooks = [] }) => {
    const pem = webhooks.map(({ clientConfig }) => decodeText(clientConfig.caBundle ?? "")).join("");
    return [...new Set(splitBundle(pem))].flatMap((each) => factOf(`caBundle of ${metadata.name}`, each));
  });
  return [...bundles, ...factOf("serving certificate", decodeText(served?.data?.["tls.crt"] ?? ""))];
}

function bundleProblem(
  { clientConfig }: Webhook,
  chainPem: string,
  nowMs: number,
): { found: unknown; wanted: unknown } | undefined {
  const { caBundle = "", url, service } = clientConfig;
  const bundlePem = decodeText(caBundle);
  const certificates = splitBundle(bundlePem);
  if (caBundle !== "" && certificates.length === 0) return { found: "no certificate", wanted: "certificates in PEM" };
  for (const pem of certificates) {
    const life = lifeOf(pem);
    if (life === undefined) return { found: "a damaged certificate", wanted: "certificates in PEM" };
    if (life.notAfterMs <= nowMs) {
      return { found: `${described(pem)}, which has ended`, wanted: "certificates in date" };
    }
  }
  if (chainPem === "") {
    // By a URL, a certificate of the public's may be served, for which no bundle is needed.
    return service === undefined || caBundle !== ""
      ? undefined
      : { found: "no certificate", wanted: "the authority of the serving certificate, of which there is none yet" };
  }
  const host = service === undefined ? hostOf(url ?? "") : serviceHost(service.name, service.namespace);
  const problem = chainProblem({ chainPem, bundlePem, host, nowMs });
  if (problem === undefined) return undefined;
  const held = certificates.map(described).join("; ") || "no certificate";
  return { found: `${held}: ${problem}`, wanted: "certificates that vouch for what is served" };
}

function factOf(where: string, pem: string): CertificateFact[] {
  const life = lifeOf(pem);
  if (life === undefined) return [];
  const { commonName, fingerprint, notAfterMs } = life;
  return [{ where, commonName, fingerprint, notAfter: new Date(notAfterMs).toISOString() }];
}

function described(pem: string): string {
  const { commonName, fingerprint, notAfterMs } = describeCertificate(pem);
  return `"${commonName}" ${fingerprint.slice(0, 16)} until ${new Date(notAfterMs).toISOString().slice(0, 10)}`;
}

function lifeOf(pem: string) {
  try {
    return describeCertificate(pem);
  } catch {
    return undefined; // there is none, or it cannot be read: the caller says so
  }
}

function hostOf(url: string): string {
  return (URL.parse(url)?.hostname ?? "").replace(/^\[(.*)\]$/, "$1");
}
