// Who signs certificate requests, and what each wants to see in one
// (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers).
import { ownSigner } from "../manifest/names.ts";
import type { Names } from "../pki/names.ts";
import type { SigningRequest } from "../pki/signing-request.ts";

/** The cluster's own signer for the servers of kubelets. */
export const kubeletServing = "kubernetes.io/kubelet-serving";

export const kubeletServingWarning =
  `${kubeletServing} is meant for kubelets: the request poses as a node (organization system:nodes) so that the ` +
  "cluster's CA signs it. Some clusters refuse that (EKS) or sign it with another CA than the one that clients know " +
  "(k3s); the signer own works everywhere.";

const shortNames: Readonly<Record<string, string>> = { own: ownSigner, "kubelet-serving": kubeletServing };
const nodes = "system:nodes";
const nodePrefix = "system:node:";
/** X.520's bound; some readers refuse longer ones. */
const commonNameMaxLength = 64;

/** The full name of a signer given as `own`, `kubelet-serving` or by its full name; undefined when it is none. */
export function parseSignerName(text: string): string | undefined {
  if (Object.hasOwn(shortNames, text)) return shortNames[text];
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+\/[^/\s]+$/.test(text) ? text : undefined;
}

/** The subject that the signer wants of a request for these names. */
export function subjectFor(signerName: string, names: Names): { commonName: string; organization?: string } {
  if (signerName !== kubeletServing) return { commonName: commonNameOf(names) };
  // With a colon it can be the name of no node, so nothing that asks who a kubelet is takes this server for one.
  const commonName = `${nodePrefix}webhook:${names.dnsNames[0] ?? names.ipAddresses[0] ?? ""}`;
  return { commonName: commonName.slice(0, commonNameMaxLength), organization: nodes };
}

/** For whoever does not ask for one: the first DNS name, or words that no reader takes for a name or an address. */
export function commonNameOf({ dnsNames: [name] }: Names): string {
  return name !== undefined && name.length <= commonNameMaxLength ? name : "loadtest webhook server";
}

/** The usages to ask the signer for; kubelet-serving signs for no others. */
export function usagesFor(signerName: string, isRsa: boolean): string[] {
  const encipherment = isRsa || signerName !== kubeletServing ? ["key encipherment"] : [];
  return ["digital signature", ...encipherment, "server auth"];
}

/** Why the signer would not sign the request, as far as that is known, or undefined: one clause with its remedy. */
export function requestProblem(signerName: string, request: SigningRequest): string | undefined {
  const { commonName, organizations, dnsNames, ipAddresses, uris, emailAddresses } = request;
  if (!request.isSelfSigned) return "its signature is not by its own key, must be";
  if (dnsNames.length + ipAddresses.length === 0)
    return "it asks for no name, must ask for a DNS name or an IP address";
  const [stranger] = [...uris, ...emailAddresses];
  if (stranger !== undefined) return `it asks for "${stranger}", must ask for DNS names and IP addresses only`;
  if (signerName !== kubeletServing) return undefined;
  const isNode = commonName.startsWith(nodePrefix) && organizations.length === 1 && organizations[0] === nodes;
  if (isNode) return undefined;
  const subject = [...organizations.map((organization) => `O=${organization}`), `CN=${commonName}`].join(", ");
  return `its subject is ${subject}, must be O=${nodes}, CN=${nodePrefix}…, as \`cert key-csr --signer kubelet-serving\` makes it`;
}
