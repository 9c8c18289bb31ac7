// Whether a signer of this cluster can certify a webhook server for this caller: first the rights, then one real
// request, which does not outlive the check.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { ownSigner } from "../manifest/names.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { createSigningRequest } from "../pki/signing-request.ts";
import { formatRight, missingRights, type Right } from "./access.ts";
import { type Finding, failure, ok, warning } from "./finding.ts";
import { type Issuer, issuedProblem } from "./issuer.ts";
import { generateKeys, newSerialNumber } from "./keys.ts";
import { newSigner, readSignable, sign } from "./own-signer.ts";
import { kubeletServing, subjectFor } from "./signers.ts";
import {
  approveRequest,
  desiredSigningRequest,
  getSigningRequest,
  issuanceOf,
  leastExpirationSeconds,
  requestCertificate,
  signingRequests,
  waitForIssuance,
} from "./signing-requests.ts";

const probeTimeoutMs = 5000;
const probeNames = { dnsNames: ["loadtest-doctor.default.svc"], ipAddresses: [] };
const resource = "certificatesigningrequests";

export interface SignerCheck {
  signerName: string;
  /** Without, the rights are all that is looked at. */
  probe: boolean;
  clusterCa: Issuer | undefined;
  /** Aborted when the caller does not want to wait any longer. */
  stop: AbortSignal;
}

/** What `check` finds; that a signer cannot be used is a failure, which the caller may see more mildly. */
export async function checkSigner(client: KubeClient, check: SignerCheck): Promise<Finding> {
  const { signerName, probe } = check;
  const subject = `signer ${signerName}`;
  const missing = await missingRights(client, neededRights(signerName));
  if (missing.length > 0) {
    const rights = missing.map(formatRight).join(", ");
    return failure(subject, `you may not ${rights}`, "ask an administrator for these rights, or to run `cert` for you");
  }
  if (!probe) return ok(subject, "you have the rights; whether anybody signs was not tried");
  return probeSigner(client, check, subject);
}

function neededRights(signerName: string): Right[] {
  const names = [signerName, signerName.replace(/\/.*/, "/*")];
  const rights: Right[] = [
    ...["create", "get", "delete"].map((verb) => ({ verb, resource })),
    { verb: "update", resource, subresource: "approval" },
    { verb: "approve", resource: "signers", names },
  ];
  if (signerName !== ownSigner) return rights;
  return [...rights, { verb: "update", resource, subresource: "status" }, { verb: "sign", resource: "signers", names }];
}

async function probeSigner(client: KubeClient, check: SignerCheck, subject: string): Promise<Finding> {
  const { signerName } = check;
  const name = `loadtest-doctor-${newSerialNumber().slice(0, 12)}`;
  const keys = await generateKeys();
  const requestPem = await createSigningRequest({ keys, ...probeNames, ...subjectFor(signerName, probeNames) });
  const wish = { name, requestPem, signerName, isRsa: false, expirationSeconds: leastExpirationSeconds };
  try {
    await requestCertificate(client, desiredSigningRequest(wish));
    await approveRequest(client, await getSigningRequest(client, name));
    return await judgeProbe(client, check, name, subject);
  } catch (error: unknown) {
    return failure(subject, `a request comes to nothing: ${(error as Error).message}`, "use another signer");
  } finally {
    await deleteIfPresent(client, name);
  }
}

async function deleteIfPresent(client: KubeClient, name: string): Promise<void> {
  try {
    await client.delete(signingRequests, { name });
  } catch (error: unknown) {
    if (!isNotFound(error)) throw error;
  }
}

async function judgeProbe(client: KubeClient, check: SignerCheck, name: string, subject: string): Promise<Finding> {
  const { signerName, clusterCa, stop } = check;
  const issuer = signerName === ownSigner ? await signProbe(client, name) : clusterCa;
  const issuance = issuanceOf(await waitForIssuance(client, name, probeTimeoutMs, stop));
  if ("condition" in issuance) {
    const { reason = "", message = "" } = issuance.condition;
    return failure(subject, `it refuses a webhook's request (${reason}: ${message})`, "use another signer");
  }
  if (issuance.state !== "issued") {
    const message = `nobody has signed an approved request ${stop.aborted ? "until the interrupt" : "within 5s"}`;
    return failure(subject, message, "run such a signer, or use another one");
  }
  const { chainPem } = issuance;
  const certificate = { chainPem, names: probeNames, keyPem: undefined };
  const flaw = issuedProblem({ ...certificate, issuer: undefined });
  if (flaw !== undefined) return failure(subject, `it signs, but ${flaw}`, "use another signer");
  const issuerName = describeCertificate(chainPem).issuerCommonName;
  if (issuer === undefined) {
    const message = `signs with "${issuerName}"; the cluster's CA is not to be read, so it was not compared`;
    return warning(subject, message, "ask somebody who may read ConfigMaps of kube-public");
  }
  const problem = issuedProblem({ ...certificate, issuer });
  if (problem === undefined) return ok(subject, praise(signerName));
  const message = `signs with "${issuerName}", which is not the cluster's CA: ${problem}`;
  if (signerName === kubeletServing) return failure(subject, message, "use the signer own");
  return warning(subject, message, `take the authority "${issuerName}" from whoever runs the signer, with --ca-file`);
}

function praise(signerName: string): string {
  if (signerName === ownSigner) return "works, a request was taken, approved, signed and verified";
  return `signs with the cluster's CA${signerName === kubeletServing ? ", for a server that poses as a node" : ""}`;
}

/** Signs with an authority that is forgotten at once. */
async function signProbe(client: KubeClient, name: string): Promise<Issuer> {
  const object = await getSigningRequest(client, name);
  const authority = await newSigner(probeNames);
  await sign(client, object, await readSignable(object), authority);
  return { bundlePem: authority.certificatePem, source: "the authority of this check" };
}
