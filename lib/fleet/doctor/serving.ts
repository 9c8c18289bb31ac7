// What the endpoint presents in a handshake, judged as the API server judges it: by the registrations' bundle and the
// name that it asks for. From outside of the cluster's network there may be no way to it.
import { decodeText } from "../../cert/base64.ts";
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import { type Endpoint, type Handshake, shakeHands } from "../../cert/handshake.ts";
import { podEndpoints } from "../../cert/replicas.ts";
import { validatingConfigurations } from "../../cert/resources.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionName, extensionNamespace, serviceHost, validator } from "../../manifest/names.ts";
import { describeCertificate } from "../../pki/certificate.ts";
import { chainProblem } from "../../pki/chain.ts";
import { canonicalIpAddress } from "../../pki/ip-address.ts";
import { several } from "./words.ts";

const timeoutMs = 2000;

export interface Presented {
  /** A Pod, or the URL. */
  by: string;
  handshake: Handshake;
}

export interface ServingQuestion {
  presented: readonly Presented[];
  bundlePem: string;
  host: string;
  /** Whether the API server itself has got an answer. */
  hasAnswered: boolean;
  nowMs: number;
}

export async function examineServing(
  client: KubeClient,
  placement: Placement,
  hasAnswered: boolean,
  nowMs: () => number,
): Promise<Finding[]> {
  const host = hostOf(placement);
  const [endpoints, registration] = await Promise.all([
    placement.kind === "outOfCluster" ? atUrl(placement.url, host) : podEndpoints(client, host),
    find(client, validatingConfigurations, { name: validator.configuration }),
  ]);
  const presented = await Promise.all(
    [...endpoints].map(async ([by, endpoint]) => ({ by, handshake: await shakeHands(endpoint, timeoutMs) })),
  );
  const bundlePem = decodeText(registration?.webhooks?.[0]?.clientConfig.caBundle ?? "");
  return judgeServing({ presented, bundlePem, host, hasAnswered, nowMs: nowMs() });
}

export function judgeServing({ presented, bundlePem, host, hasAnswered, nowMs }: ServingQuestion): Finding[] {
  const subject = "certificate that is served";
  const reached = presented.flatMap(({ by, handshake }) => ("chainPem" in handshake ? [{ by, ...handshake }] : []));
  const refused = reached.flatMap(({ by, chainPem }) => {
    const problem = chainProblem({ chainPem, bundlePem, host, nowMs });
    return problem === undefined ? [] : [`by ${by}: ${problem}`];
  });
  if (refused.length > 0) {
    const remedy =
      "see that a controller runs and what it logs of certificates; loadtest cert renew asks for a new one";
    return [failure(subject, `refused by the caBundle, ${refused.join("; ")}`, remedy)];
  }
  const silent = presented.filter(({ handshake }) => !("chainPem" in handshake));
  if (silent.length > 0 || presented.length === 0) {
    const why = several(silent.map(({ by, handshake }) => `${by}: ${whyNot(handshake)}`)) || "nobody serves it";
    const message = `not checked from here (${why})`;
    return hasAnswered
      ? [ok(subject, `${message}; the API server trusts it, as the dry run shows`)]
      : [warning(subject, message, "run loadtest doctor where the cluster's Pods can be reached")];
  }
  const serials = [...new Set(reached.map(({ chainPem }) => describeCertificate(chainPem).serialNumber))];
  const message = `${reached.length === 1 ? "by one endpoint" : `by all ${reached.length} endpoints`}, for ${host}, trusted by the caBundle`;
  if (serials.length === 1) return [ok(subject, message)];
  return [
    warning(subject, `${message}; they present ${serials.length} different ones`, "wait a minute: it is being renewed"),
  ];
}

function whyNot(handshake: Handshake): string {
  if ("refused" in handshake) return "nobody listens";
  return "silence" in handshake ? handshake.silence : "";
}

/** By which the API server asks for it. */
function hostOf(placement: Placement): string {
  if (placement.kind !== "outOfCluster") return serviceHost(extensionName, extensionNamespace);
  return (URL.parse(placement.url)?.hostname ?? "").replace(/^\[|\]$/g, "");
}

function atUrl(text: string, host: string): Map<string, Endpoint> {
  const port = Number(URL.parse(text)?.port || 443);
  const serverName = canonicalIpAddress(host) === undefined ? { serverName: host } : {};
  return new Map([[text, { host, port, ...serverName }]]);
}
