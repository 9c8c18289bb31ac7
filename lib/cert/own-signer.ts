// The extension's own signer, worked by hand. Its authority lives in a Secret of its own, apart from the controller's,
// and can certify nothing but the names of the request that it was made for.
import { isAlreadyExists, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { authoritySecret, ownSigner, servingSecret } from "../manifest/names.ts";
import type { Authority } from "../pki/authority.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { chainProblem } from "../pki/chain.ts";
import type { Names } from "../pki/names.ts";
import { readSigningRequest, type SigningRequest } from "../pki/signing-request.ts";
import type { Observed } from "../plan/objects.ts";
import { nowMs } from "../runtime/clock.ts";
import { decodeText, encodeText } from "./base64.ts";
import { newAuthority, newCertificate } from "./issuing.ts";
import { type Secret, secrets } from "./resources.ts";
import { hostsOf } from "./server-names.ts";
import { commonNameOf, requestProblem } from "./signers.ts";
import { type CertificateSigningRequest, getSigningRequest, issuanceOf, signingRequests } from "./signing-requests.ts";
import { authorityIn, authorityNamesIn, withAuthority } from "./stored-authority.ts";

export const defaultSecretName = "loadtest-signer-ca";
/** The controller's, which nobody else may write. */
export const foreignSecretNames: readonly string[] = [authoritySecret, servingSecret];

const grantedUsages = ["digital signature", "key encipherment", "server auth"];

/** Where the authority is kept. */
export interface AuthorityPlace {
  /** Looked at in this order; where there is none yet, it is made in the first that exists. */
  namespaces: readonly string[];
  secretName: string;
}

export interface StoredAuthority {
  secret: Observed<Secret>;
  /** Undefined when the Secret holds none that can be used. */
  authority: Authority | undefined;
  /** That it may certify, with everything below them. */
  names: readonly string[];
}

export interface SigningOptions {
  place: AuthorityPlace;
  /** Whether an authority that does not do may go, and with it the trust in all it has signed. */
  replaceAuthority: boolean;
  tell: (line: string) => void;
}

/** Signs an approved request of our own signer. Rejects when it must not be signed. */
export async function signRequest(client: KubeClient, name: string, options: SigningOptions): Promise<void> {
  const object = await getSigningRequest(client, name);
  if (issuanceOf(object).state === "issued") return options.tell(`"${name}" is signed already`);
  const request = await readSignable(object);
  await sign(client, object, request, await authorityFor(client, request, options));
  options.tell(`signed "${name}"`);
}

/** What an object asks for. Rejects when our signer must not sign it. */
export async function readSignable(object: CertificateSigningRequest): Promise<SigningRequest> {
  const { metadata, spec } = object;
  const refuse = (problem: string) => new Error(`Cannot sign "${metadata.name}": ${problem}`);
  if (spec.signerName !== ownSigner) throw refuse(`it is for the signer ${spec.signerName}, must be for ${ownSigner}`);
  const issuance = issuanceOf(object);
  if ("condition" in issuance) throw refuse(`it is ${issuance.state}, must be approved`);
  if (issuance.state === "pending") {
    throw refuse(`nobody has approved it, must be approved (loadtest cert approve ${metadata.name})`);
  }
  const stranger = spec.usages.find((usage) => !grantedUsages.includes(usage));
  if (stranger !== undefined || !spec.usages.includes("server auth")) {
    throw refuse(
      `its usages are ${spec.usages.join(", ")}, must be server auth and no more than ${grantedUsages.join(", ")}`,
    );
  }
  const request = await readSigningRequest(decodeText(spec.request));
  const problem = requestProblem(ownSigner, request);
  if (problem !== undefined) throw refuse(problem);
  return request;
}

/** Writes a certificate for the names asked for into the object; of its subject nothing is taken over. */
export async function sign(
  client: KubeClient,
  object: Observed<CertificateSigningRequest>,
  { publicKey, dnsNames, ipAddresses }: SigningRequest,
  authority: Authority,
): Promise<void> {
  const { expirationSeconds } = object.spec;
  const names = { dnsNames, ipAddresses };
  const lifetimeMs = expirationSeconds === undefined ? undefined : expirationSeconds * 1000;
  const subject = { ...names, commonName: commonNameOf(names) };
  const chainPem = await newCertificate(authority, publicKey, subject, lifetimeMs);
  for (const host of hostsOf(names)) {
    const problem = chainProblem({ chainPem, bundlePem: authority.certificatePem, host, nowMs: nowMs() });
    if (problem !== undefined) throw new Error(`Cannot sign "${object.metadata.name}": ${problem}`);
  }
  const status = { ...object.status, certificate: encodeText(chainPem) };
  await client.replace(signingRequests, { ...object, status }, { subresource: "status" });
}

/** A new authority for just these names. */
export function newSigner({ dnsNames, ipAddresses }: Names): Promise<Authority> {
  return newAuthority("loadtest signer", { dnsNames: permittedNames(dnsNames), ipAddresses });
}

/** The authority that is kept in one of the namespaces, or undefined. */
export async function findAuthority(client: KubeClient, place: AuthorityPlace): Promise<StoredAuthority | undefined> {
  for (const namespace of place.namespaces) {
    try {
      const secret = await client.get(secrets, { namespace, name: place.secretName });
      return { secret, authority: authorityIn(secret), names: authorityNamesIn(secret) };
    } catch (error: unknown) {
      if (!isNotFound(error)) throw error;
    }
  }
  return undefined;
}

export function nameOf({ metadata }: Secret): string {
  return `Secret ${metadata.namespace}/${metadata.name}`;
}

/** The stored authority if it may certify these names; a new one where there is none, or where it may be replaced. */
async function authorityFor(client: KubeClient, names: Names, options: SigningOptions): Promise<Authority> {
  const { place, replaceAuthority, tell } = options;
  const found = await findAuthority(client, place);
  if (found === undefined) return createStored(client, names, options);
  const { secret } = found;
  const problem = authorityProblem(found, names);
  if (problem === undefined && found.authority !== undefined) {
    tell(`the authority is that of ${nameOf(secret)}`);
    return found.authority;
  }
  const isEmpty = Object.keys(secret.data ?? {}).length === 0;
  if (!isEmpty && !replaceAuthority) {
    throw new Error(
      `Cannot sign with the authority of ${nameOf(secret)}: ${problem}; must be replaced with --replace-authority, which ` +
        "ends the trust in all it has signed, or left alone and another one used with --authority-secret",
    );
  }
  const authority = await newSigner(names);
  await client.replace(secrets, withAuthority(secret, authority, allNames(names)));
  tell(`put a new authority for ${allNames(names).join(", ")} into ${nameOf(secret)}`);
  if (!isEmpty) tell("every caBundle that holds the old authority needs the new one");
  return authority;
}

async function createStored(client: KubeClient, names: Names, { place, tell }: SigningOptions): Promise<Authority> {
  const authority = await newSigner(names);
  for (const namespace of place.namespaces) {
    const metadata = { namespace, name: place.secretName };
    const secret: Secret = { apiVersion: "v1", kind: "Secret", metadata };
    try {
      const created = await client.create(secrets, withAuthority(secret, authority, allNames(names)));
      tell(`made an authority for ${allNames(names).join(", ")}, kept in ${nameOf(created)}`);
      return authority;
    } catch (error: unknown) {
      if (isAlreadyExists(error)) {
        throw new Error(`Cannot make ${nameOf(secret)}: somebody else has just done so, must be tried again`);
      }
      if (!isNotFound(error)) throw error; // not found is the namespace
    }
  }
  const [namespace] = place.namespaces;
  throw new Error(`Cannot keep an authority in namespace "${namespace}": there is none, must be one that exists`);
}

/** Why it cannot certify these names, or undefined. */
function authorityProblem({ authority, names: permitted }: StoredAuthority, names: Names): string | undefined {
  if (authority === undefined) return "it holds none that can be read";
  const { notAfterMs } = describeCertificate(authority.certificatePem);
  if (notAfterMs <= nowMs()) return `it ended at ${new Date(notAfterMs).toISOString()}`;
  const outside = [...permittedNames(names.dnsNames), ...names.ipAddresses].find(
    (name) => !permitted.some((one) => name === one || name.endsWith(`.${one}`)),
  );
  return outside === undefined ? undefined : `it is for ${permitted.join(", ") || "no names"} only, not for ${outside}`;
}

function allNames({ dnsNames, ipAddresses }: Names): string[] {
  return [...permittedNames(dnsNames), ...ipAddresses];
}

/** A constraint on a name holds for everything below it, so it is written without a wildcard. */
function permittedNames(dnsNames: readonly string[]): string[] {
  return [...new Set(dnsNames.map((name) => name.replace(/^\*\./, "")))];
}
