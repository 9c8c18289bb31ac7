// Certificate requests (PKCS #10, RFC 2986): a key and the names that its owner asks for.
// Reading is strict: what another reader could understand otherwise, or what this one would drop, is refused.
import { canonicalIpAddress } from "./ip-address.ts";
import { signingAlgorithmOf } from "./key-algorithm.ts";
import { alternativeNames, type Names, subjectName } from "./names.ts";
import { decodePem, encodePem } from "./pem.ts";
import { loadX509 } from "./x509.ts";

export interface SigningRequestOptions extends Names {
  /** Of one of the `keyAlgorithms`. */
  keys: CryptoKeyPair;
  commonName: string;
  organization?: string;
}

export interface SigningRequest {
  /** Empty when the subject has none. */
  commonName: string;
  organizations: string[];
  dnsNames: string[];
  /** As RFC 5952 writes them. */
  ipAddresses: string[];
  emailAddresses: string[];
  uris: string[];
  publicKey: CryptoKey;
  /** Whether the request is signed with the private key of `publicKey`, as one must be before it is granted. */
  isSelfSigned: boolean;
}

const extensionRequest = "1.2.840.113549.1.9.14";
const label = "CERTIFICATE REQUEST";

/** The request as PEM. Throws when a name or an address is none. */
export async function createSigningRequest(options: SigningRequestOptions): Promise<string> {
  const x509 = await loadX509();
  const { commonName, organization, keys } = options;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: await subjectName(commonName, organization === undefined ? [] : [organization]),
    keys,
    signingAlgorithm: signingAlgorithmOf(keys.privateKey),
    extensions: await alternativeNames(options),
  });
  return encodePem(label, request.rawData);
}

/** What the first request of a PEM text asks for. Throws when it cannot be read, and when it is ambiguous. */
export async function readSigningRequest(pem: string): Promise<SigningRequest> {
  const { commonNames, organizations, names, publicKey, isSelfSigned, ...request } = await parseRequest(pem);
  if (commonNames.length > 1) throw refusal(`it has ${commonNames.length} common names`, "one at most");
  if (request.extensionListCount > 1) throw refusal("it lists extensions more than once", "once at most");
  if (request.namesExtensionCount > 1) throw refusal("it asks for alternative names more than once", "once at most");

  const kinds = "only DNS names, IP addresses, e-mail addresses and URIs";
  const stranger = names.find(({ type }) => !["dns", "ip", "email", "url"].includes(type));
  if (stranger) throw refusal(`it asks for a name of type "${stranger.type}"`, kinds);
  if (!request.isWhole) throw refusal("it asks for a name of an unknown type", kinds);

  const valuesOf = (wanted: string) => names.flatMap(({ type, value }) => (type === wanted ? [value] : []));
  return {
    commonName: commonNames[0] ?? "",
    organizations,
    dnsNames: valuesOf("dns"),
    ipAddresses: valuesOf("ip").map(requestedIpAddress),
    emailAddresses: valuesOf("email"),
    uris: valuesOf("url"),
    publicKey,
    isSelfSigned,
  };
}

/** The parts of a request that are looked at, before they are judged. */
async function parseRequest(pem: string) {
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(decodePem(label, pem));
    const extensionLists = request.getAttributes(extensionRequest).flatMap((attribute) => attribute.values);
    const extensions = request.extensions.filter((one) => one instanceof x509.SubjectAlternativeNameExtension);
    const names = extensions[0]?.names.toJSON() ?? [];
    return {
      commonNames: request.subjectName.getField("CN"),
      organizations: request.subjectName.getField("O"),
      extensionListCount: extensionLists.length,
      namesExtensionCount: extensions.length,
      names,
      // The library skips names that it does not know; then what it has read is not all that is there.
      isWhole: extensions.every(({ value }) => isEqual(new x509.SubjectAlternativeNameExtension(names).value, value)),
      publicKey: await request.publicKey.export(),
      isSelfSigned: await request.verify().catch(() => false),
    };
  } catch (error: unknown) {
    throw refusal("it is none, or damaged, or its key of an unknown kind", "PKCS #10 in PEM", error);
  }
}

function requestedIpAddress(text: string): string {
  const address = canonicalIpAddress(text);
  if (address === undefined) throw refusal(`it asks for the address "${text}"`, "an IP address");
  return address;
}

function refusal(problem: string, requirement: string, cause?: unknown): Error {
  return new Error(`Cannot read the certificate request: ${problem}, must be ${requirement}`, { cause });
}

function isEqual(a: ArrayBuffer, b: ArrayBuffer): boolean {
  return Buffer.from(a).equals(Buffer.from(b));
}
