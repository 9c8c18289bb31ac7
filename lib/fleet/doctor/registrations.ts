// The registrations of the webhooks: that they ask about what they should, of all namespaces, and what becomes of an
// object when no answer comes. What they trust is the certificates' matter.
import { decodeText } from "../../cert/base64.ts";
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { mutatingConfigurations, validatingConfigurations } from "../../cert/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Resource } from "../../kube/resource.ts";
import type { Placement } from "../../manifest/extension.ts";
import { mutatingConfiguration, validatingConfiguration } from "../../manifest/webhooks.ts";
import { splitBundle } from "../../pki/bundle.ts";
import { describeCertificate } from "../../pki/certificate.ts";
import type { KubeObject } from "../../plan/objects.ts";
import { differenceOf } from "./kinds.ts";
import { installAgain } from "./words.ts";

export interface Registration extends KubeObject {
  webhooks?: Webhook[];
}

interface Webhook {
  name: string;
  failurePolicy?: string;
  namespaceSelector?: object;
  objectSelector?: object;
  clientConfig: { caBundle?: string; url?: string; service?: object };
  [field: string]: unknown;
}

export async function examineRegistrations(client: KubeClient, placement: Placement, nowMs: () => number) {
  const url = placement.kind === "outOfCluster" ? placement.url : undefined;
  const desired: [Registration, Resource][] = [
    [validatingConfiguration(url) as Registration, validatingConfigurations],
    [mutatingConfiguration(url) as Registration, mutatingConfigurations],
  ];
  return Promise.all(
    desired.map(async ([wanted, resource]) => {
      const found = await find(client, resource as Resource<Registration>, { name: wanted.metadata.name });
      return judgeRegistration(placement, wanted, found, nowMs());
    }),
  );
}

export function judgeRegistration(
  placement: Placement,
  desired: Registration,
  found: Registration | undefined,
  nowMs: number,
): Finding {
  const subject = `webhook ${desired.metadata.name}`;
  const remedy = installAgain(placement);
  if (found === undefined) return failure(subject, "it is not registered: the API server asks nobody", remedy);
  const wanted = desired.webhooks?.[0] as Webhook;
  const hook = found.webhooks?.find(({ name }) => name === wanted.name);
  if (hook === undefined)
    return failure(subject, `it has no webhook ${wanted.name}: the API server asks nobody`, remedy);
  if (!hook.clientConfig.caBundle) {
    const message = "it has no caBundle yet, so that the API server trusts no answer";
    return failure(subject, message, "see that a controller runs: it writes it");
  }
  const flaw = bundleFlaw(hook.clientConfig.caBundle, nowMs);
  if (flaw !== undefined) return failure(subject, `its caBundle ${flaw}`, "loadtest cert renew --ca");
  const skipped = [hook.namespaceSelector, hook.objectSelector].filter((each) => Object.keys(each ?? {}).length > 0);
  if (skipped.length > 0) {
    return warning(subject, `it asks about some objects only, those of ${JSON.stringify(skipped[0])}`, remedy);
  }
  if (hook.failurePolicy !== wanted.failurePolicy) {
    const meaning =
      hook.failurePolicy === "Ignore"
        ? "without an answer everything is stored that the kinds' own rules allow"
        : "without an answer nothing is stored";
    return warning(subject, `failurePolicy is ${hook.failurePolicy}: ${meaning}`, remedy);
  }
  const others = (found.webhooks?.length ?? 0) - 1;
  if (others > 0) return warning(subject, `it has ${others} more than ours`, `take them out, or ${remedy}`);
  const place = differenceOf(contentOf(wanted), contentOf(hook), wanted.name);
  if (place !== undefined) return warning(subject, `another than this binary's: ${place} differs`, remedy);
  return ok(subject, `registered, failurePolicy ${hook.failurePolicy}`);
}

/** What is wrong with a bundle, whatever is served; an old authority beside a good one is on its way out. */
function bundleFlaw(caBundle: string, nowMs: number): string | undefined {
  const certificates = splitBundle(decodeText(caBundle));
  if (certificates.length === 0) return "holds no certificate";
  try {
    const ends = certificates.map((pem) => describeCertificate(pem).notAfterMs);
    return Math.max(...ends) > nowMs ? undefined : `ended at ${new Date(Math.max(...ends)).toISOString()}`;
  } catch {
    return "holds a certificate that cannot be read";
  }
}

/** Without what the controller writes and the API server fills in. */
function contentOf({ clientConfig, namespaceSelector: _, objectSelector: __, ...hook }: Webhook): object {
  const { caBundle: ___, ...place } = clientConfig;
  return { ...hook, clientConfig: place };
}
