// CertificateSigningRequests on the API server: asked for, approved, waited for. Who signs them is another matter.
// Approved, Denied and Failed are final; the API server removes requests an hour after any of them, pending ones after
// a day (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/).
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { clusterResource } from "../kube/resource.ts";
import { formatDuration } from "../loadtest/duration.ts";
import { ownSigner } from "../manifest/names.ts";
import { pemBlocks } from "../pki/pem.ts";
import type { Condition, KubeObject, Observed } from "../plan/objects.ts";
import { monotonicNs, sleep } from "../runtime/clock.ts";
import { decodeText, encodeText } from "./base64.ts";
import { usagesFor } from "./signers.ts";

export interface CertificateSigningRequest extends KubeObject {
  spec: {
    /** PEM in base64. */
    request: string;
    signerName: string;
    usages: string[];
    expirationSeconds?: number;
    /** Who has asked; the API server's word. */
    username?: string;
  };
  status?: {
    /** PEM in base64. */
    certificate?: string;
    conditions?: Condition[];
  };
}

export const signingRequests = clusterResource<CertificateSigningRequest>(
  "certificates.k8s.io",
  "CertificateSigningRequest",
);

/** What the API server takes at least. */
export const leastExpirationSeconds = 600;

const pollMs = 250;
const approvalAttempts = 5;

export interface RequestWish {
  name: string;
  requestPem: string;
  signerName: string;
  isRsa: boolean;
  expirationSeconds?: number;
}

export function desiredSigningRequest(wish: RequestWish): CertificateSigningRequest {
  const { name, requestPem, signerName, isRsa, expirationSeconds } = wish;
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: encodeText(requestPem),
      signerName,
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      usages: usagesFor(signerName, isRsa),
    },
  };
}

/** Creates the object, or takes the one that asks for the same. Rejects when one of its name asks for something else. */
export async function requestCertificate(
  client: KubeClient,
  wanted: CertificateSigningRequest,
): Promise<"created" | "reused"> {
  const { name } = wanted.metadata;
  try {
    await client.create(signingRequests, wanted);
    return "created";
  } catch (error: unknown) {
    if (!isAlreadyExists(error)) throw error;
  }
  const difference = differenceOf((await getSigningRequest(client, name)).spec, wanted.spec);
  if (difference === undefined) return "reused";
  throw new Error(
    `Cannot request "${name}": a CertificateSigningRequest of that name asks for ${difference}, ` +
      `must be deleted first (kubectl delete csr ${name}), or another name chosen`,
  );
}

/** Approves the request that was read. Rejects when it is denied or failed, which is final, or another one by now. */
export async function approveRequest(
  client: KubeClient,
  read: Observed<CertificateSigningRequest>,
): Promise<"approved" | "approved already"> {
  const { name, uid } = read.metadata;
  let object = read;
  for (let attempt = 1; ; attempt++) {
    const issuance = issuanceOf(object);
    if ("condition" in issuance) throw new Error(`Cannot approve "${name}": ${finalWords(name, issuance)}`);
    if (issuance.state !== "pending") return "approved already";
    const status = { ...object.status, conditions: [...(object.status?.conditions ?? []), approval] };
    try {
      await client.replace(signingRequests, { ...object, status }, { subresource: "approval" });
      return "approved";
    } catch (error: unknown) {
      if (isForbidden(error)) {
        throw new Error(`Cannot approve "${name}": you may not, must be done by somebody who may`, { cause: error });
      }
      if (!isConflict(error) || attempt === approvalAttempts) throw error;
    }
    object = await getSigningRequest(client, name);
    if (object.metadata.uid !== uid)
      throw new Error(`Cannot approve "${name}": it was replaced, must be looked at again`);
  }
}

const approval: Condition = {
  type: "Approved",
  status: "True",
  reason: "ApprovedByLoadtest",
  message: "approved by hand, with loadtest cert",
};

export async function getSigningRequest(
  client: KubeClient,
  name: string,
): Promise<Observed<CertificateSigningRequest>> {
  try {
    return await client.get(signingRequests, { name });
  } catch (error: unknown) {
    if (!isNotFound(error)) throw error;
    throw new Error(
      `Cannot find CertificateSigningRequest "${name}": there is none, must be made with \`cert request\` ` +
        "(and made again when more than an hour has passed since its approval)",
    );
  }
}

export type Issuance =
  | { state: "pending" | "approved" }
  | { state: "issued"; chainPem: string }
  | { state: "denied" | "failed"; condition: Condition };

/** How far it has come. */
export function issuanceOf({ status }: CertificateSigningRequest): Issuance {
  const find = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const denied = find("Denied");
  if (denied !== undefined) return { state: "denied", condition: denied };
  const failed = find("Failed");
  if (failed !== undefined) return { state: "failed", condition: failed };
  if (status?.certificate) return { state: "issued", chainPem: decodeText(status.certificate) };
  return { state: find("Approved") === undefined ? "pending" : "approved" };
}

/** The certificate chain of the request. Rejects when it is not there within `timeoutMs`, and at once if it never will be. */
export async function waitForCertificate(client: KubeClient, name: string, timeoutMs: number): Promise<string> {
  const object = await waitForIssuance(client, name, timeoutMs);
  const issuance = issuanceOf(object);
  if (issuance.state === "issued") return issuance.chainPem;
  const waited = ` after ${formatDuration(timeoutMs * 1e6)}`;
  const problem = "condition" in issuance ? finalWords(name, issuance) : waitingWords(object, issuance.state, waited);
  throw new Error(`Cannot download "${name}": ${problem}`);
}

/** The request as soon as nothing more can become of it, or as it is after `timeoutMs` or once `stop` is aborted. */
export async function waitForIssuance(
  client: KubeClient,
  name: string,
  timeoutMs: number,
  stop?: AbortSignal,
): Promise<Observed<CertificateSigningRequest>> {
  const untilNs = monotonicNs() + timeoutMs * 1e6;
  for (;;) {
    const object = await getSigningRequest(client, name);
    const { state } = issuanceOf(object);
    const isSettled = state !== "pending" && state !== "approved";
    if (isSettled || stop?.aborted || monotonicNs() >= untilNs) return object;
    await sleep(pollMs, stop);
  }
}

function waitingWords({ metadata, spec }: CertificateSigningRequest, state: "pending" | "approved", waited: string) {
  const { name } = metadata;
  if (state === "pending") return `nobody has approved it${waited}, must be approved (loadtest cert approve ${name})`;
  if (spec.signerName === ownSigner) {
    return `it is approved, but not signed${waited}, must be signed (loadtest cert sign ${name})`;
  }
  return `it is approved, but not signed${waited}: no signer "${spec.signerName}" seems to run here, must be one that does`;
}

function finalWords(name: string, { state, condition }: { state: "denied" | "failed"; condition: Condition }): string {
  const { reason = "", message = "" } = condition;
  const why = [reason, message].filter(Boolean).join(": ");
  const what = state === "denied" ? "it is denied" : "its signer refuses it";
  return `${what}${why === "" ? "" : ` (${why})`}, must be deleted (kubectl delete csr ${name}) and requested anew`;
}

/** Without what does not count: line ends, and text around it. */
function requestOf({ request }: CertificateSigningRequest["spec"]): string {
  return pemBlocks("CERTIFICATE REQUEST", decodeText(request)).join("");
}

function differenceOf(
  there: CertificateSigningRequest["spec"],
  wanted: CertificateSigningRequest["spec"],
): string | undefined {
  if (there.signerName !== wanted.signerName) return `another signer, ${there.signerName}`;
  if (requestOf(there) !== requestOf(wanted)) return "another key or other names";
  if (there.usages.toSorted().join() !== wanted.usages.toSorted().join()) return "other usages";
  if (wanted.expirationSeconds !== undefined && there.expirationSeconds !== wanted.expirationSeconds) {
    return `another lifetime, ${there.expirationSeconds ?? "no"} seconds`;
  }
  return undefined;
}
