// What there is of certificates: until when it is good, and whether it fits together.
import { isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ObjectKey, Resource } from "../kube/resource.ts";
import {
  authoritySecret,
  defaulter,
  extensionNamespace,
  serviceHost,
  servingSecret,
  validator,
  type WebhookName,
} from "../manifest/names.ts";
import { splitBundle } from "../pki/bundle.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { chainProblem } from "../pki/chain.ts";
import { renewAtMs } from "../pki/renewal.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import { decodeText } from "./base64.ts";
import { type Finding, failure, ok, warning } from "./finding.ts";
import type { Issuer } from "./issuer.ts";
import { secrets, type WebhookConfiguration } from "./resources.ts";
import { hooks, isForeign } from "./serving-store.ts";

const day = 24 * 3600e3;
const warningMs = 30 * day;
const absent = "there is none";
const controllerRemedy = `see that a controller runs (kubectl get pods -n ${extensionNamespace})`;
/** Of each registration. */
const manifests: Readonly<Record<string, string>> = {
  [validator.configuration]: "validating-controller.yaml",
  [defaulter.configuration]: "mutating-controller.yaml",
};
const renewal = { certificate: "loadtest cert renew", authority: "loadtest cert renew --ca" };

export async function takeInventory(client: KubeClient, clusterCa: Issuer | undefined): Promise<Finding[]> {
  const [serving, authority, ...configurations] = await Promise.all([
    look(client, secrets, { namespace: extensionNamespace, name: servingSecret }),
    look(client, secrets, { namespace: extensionNamespace, name: authoritySecret }),
    ...hooks.map(({ resource, names }) => look(client, resource, { name: names.configuration })),
  ]);
  const chainPem = typeof serving === "string" ? undefined : decodeText(serving.data?.["tls.crt"] ?? "");
  const authorityPem = typeof authority === "string" ? undefined : decodeText(authority.data?.["ca.crt"] ?? "");
  return [
    judgeStored("serving certificate", serving, chainPem, renewal.certificate),
    judgeStored("authority", authority, authorityPem, renewal.authority),
    ...hooks.map(({ names }, index) => {
      const configuration = configurations[index] as Observed<WebhookConfiguration> | string;
      return judgeBundle(names, configuration, chainPem);
    }),
    judgeClusterCa(clusterCa),
  ];
}

/** The object, or why it cannot be seen. */
async function look<T extends KubeObject>(client: KubeClient, resource: Resource<T>, key: ObjectKey) {
  try {
    return await client.get(resource, key);
  } catch (error: unknown) {
    if (isNotFound(error)) return absent;
    if (isForbidden(error)) return "you may not read it";
    throw error;
  }
}

function judgeStored(what: string, secret: object | string, pem: string | undefined, renew: string): Finding {
  if (typeof secret === "string") return unseen(what, secret, "controller.yaml");
  if (pem === undefined || splitBundle(pem).length === 0) {
    return failure(what, "its Secret holds none", controllerRemedy);
  }
  return judgeLife(what, pem, renew);
}

/** @param manifest The file that makes it. */
function unseen(what: string, why: string, manifest: string): Finding {
  const remedy = `apply manifests/${manifest}, if the extension is wanted here`;
  return warning(what, why, why === absent ? remedy : "ask somebody who may");
}

/** By how much of its life is left. */
export function judgeLife(what: string, pem: string, remedy: string, atMs: number = nowMs()): Finding {
  const life = describeCertificate(pem);
  const leftMs = life.notAfterMs - atMs;
  const expiresAt = new Date(life.notAfterMs).toISOString();
  const message = `"${life.commonName}", ${leftMs > 0 ? `good for ${days(leftMs)}, until` : "ended at"} ${expiresAt}`;
  if (leftMs <= 0) return { ...failure(what, message, remedy), expiresAt };
  const isEnding = leftMs < warningMs || atMs > renewAtMs(life);
  return { ...(isEnding ? warning(what, message, remedy) : ok(what, message)), expiresAt };
}

function judgeBundle(
  { configuration }: WebhookName,
  object: Observed<WebhookConfiguration> | string,
  chainPem: string | undefined,
): Finding {
  const what = `caBundle of ${configuration}`;
  if (typeof object === "string") return unseen(what, object, manifests[configuration] ?? "");
  const count = new Set((object.webhooks ?? []).flatMap((webhook) => splitBundle(bundleOf(webhook)))).size;
  const held = `${count} ${count === 1 ? "certificate" : "certificates"}`;
  if (!chainPem) return warning(what, `${held}; what is served is not known, so not compared`, controllerRemedy);
  for (const webhook of object.webhooks ?? []) {
    const { service, url } = webhook.clientConfig;
    const host =
      service === undefined ? (URL.parse(url ?? "")?.hostname ?? "") : serviceHost(service.name, service.namespace);
    const question = { chainPem, bundlePem: bundleOf(webhook), host: host.replace(/^\[(.*)\]$/, "$1"), nowMs: nowMs() };
    const problem = chainProblem(question);
    if (problem === undefined) continue;
    const remedy = isForeign(object)
      ? "cert-manager writes it: see that the controller serves what it issues"
      : controllerRemedy;
    return failure(what, `${held}; the serving certificate is refused: ${problem}`, remedy);
  }
  return ok(what, `${held}; the serving certificate is trusted`);
}

function bundleOf({ clientConfig }: NonNullable<WebhookConfiguration["webhooks"]>[number]): string {
  return decodeText(clientConfig.caBundle ?? "");
}

/** By the certificate that ends first. */
function judgeClusterCa(clusterCa: Issuer | undefined): Finding {
  const what = "cluster CA";
  const remedy = "renew it as the documentation of your Kubernetes distribution says";
  const [first] = splitBundle(clusterCa?.bundlePem ?? "").toSorted(
    (a, b) => describeCertificate(a).notAfterMs - describeCertificate(b).notAfterMs,
  );
  return first === undefined
    ? warning(what, "you may not read it", "ask somebody who may")
    : judgeLife(what, first, remedy);
}

function days(ms: number): string {
  const count = Math.floor(ms / day);
  if (count === 0) return "less than a day";
  return count === 1 ? "a day" : `${count} days`;
}
