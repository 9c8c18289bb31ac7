// Whom a certificate is from, as far as that can be known, and whether it is what was asked for. Nothing is called good
// before that.
import { isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { namespacedResource } from "../kube/resource.ts";
import { ownSigner } from "../manifest/names.ts";
import { chainProblem } from "../pki/chain.ts";
import type { Names } from "../pki/names.ts";
import { isKeyOf } from "../pki/private-key.ts";
import type { KubeObject } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import { type AuthorityPlace, findAuthority, nameOf } from "./own-signer.ts";
import { hostsOf } from "./server-names.ts";
import { kubeletServing } from "./signers.ts";

/** Certificates to trust, and where they were found. */
export interface Issuer {
  bundlePem: string;
  source: string;
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMaps = namespacedResource<ConfigMap>("", "ConfigMap");

/** The API server's authority is in every namespace; these are the ones that everybody may read if any. */
const rootNamespaces = ["kube-public", "default"];
const rootName = "kube-root-ca.crt";

/** The authority behind a signer; undefined when it is not known, or not to be read by this caller. */
export function findIssuer(
  client: KubeClient,
  signerName: string,
  place: AuthorityPlace,
  kubeconfigCa: string | undefined,
): Promise<Issuer | undefined> {
  if (signerName === ownSigner) return ownIssuer(client, place);
  return signerName === kubeletServing ? clusterIssuer(client, kubeconfigCa) : Promise.resolve(undefined);
}

/** The CA by which clients know the API server; on most clusters it signs for kubelets too. */
export async function clusterIssuer(client: KubeClient, kubeconfigCa?: string): Promise<Issuer | undefined> {
  for (const namespace of rootNamespaces) {
    try {
      const { data = {} } = await client.get(configMaps, { namespace, name: rootName });
      const bundlePem = data["ca.crt"];
      if (bundlePem !== undefined) return { bundlePem, source: `ConfigMap ${namespace}/${rootName}` };
    } catch (error: unknown) {
      if (!isNotFound(error) && !isForbidden(error)) throw error;
    }
  }
  return kubeconfigCa === undefined ? undefined : { bundlePem: kubeconfigCa, source: "the kubeconfig" };
}

export interface IssuedCertificate {
  chainPem: string;
  /** That were asked for. */
  names: Names;
  /** Undefined when it is not at hand. */
  keyPem: string | undefined;
  issuer: Issuer | undefined;
}

/** Why the certificate is not what was asked for, or undefined. Without an issuer, nothing is said of its signature. */
export function issuedProblem({ chainPem, names, keyPem, issuer }: IssuedCertificate): string | undefined {
  if (keyPem !== undefined && !isKeyOf(keyPem, chainPem)) return "it is not for the key, must be";
  for (const host of hostsOf(names)) {
    // With itself as anchor, everything but the signature is looked at.
    const problem = chainProblem({ chainPem, bundlePem: issuer?.bundlePem ?? chainPem, host, nowMs: nowMs() });
    if (problem !== undefined) return issuer === undefined ? problem : `${problem} (checked against ${issuer.source})`;
  }
  return undefined;
}

async function ownIssuer(client: KubeClient, place: AuthorityPlace): Promise<Issuer | undefined> {
  try {
    const found = await findAuthority(client, place);
    if (found?.authority === undefined) return undefined;
    return { bundlePem: found.authority.certificatePem, source: nameOf(found.secret) };
  } catch (error: unknown) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}
