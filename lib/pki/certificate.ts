// What a certificate says, read by the platform's TLS library and so without loading another.
import { X509Certificate } from "node:crypto";
import { splitBundle } from "./bundle.ts";
import { canonicalIpAddress } from "./ip-address.ts";

export interface CertificateDescription {
  /** Lower-case hexadecimal with an even number of digits. */
  serialNumber: string;
  /** Of the subject; empty when it has none. */
  commonName: string;
  /** Of the issuer; empty when it has none. */
  issuerCommonName: string;
  dnsNames: string[];
  /** As RFC 5952 writes them. */
  ipAddresses: string[];
  notBeforeMs: number;
  notAfterMs: number;
  /** SHA-256 of the whole certificate, lower-case hexadecimal. */
  fingerprint: string;
  /** Whether it may certify others. */
  isAuthority: boolean;
}

/** What the first certificate of a PEM text says. Throws when there is none or it cannot be read. */
export function describeCertificate(pem: string): CertificateDescription {
  const certificate = readCertificate(pem);
  const { subject, issuer } = certificate.toLegacyObject();
  const names = readAlternativeNames(certificate.subjectAltName ?? "");
  return {
    serialNumber: certificate.serialNumber.toLowerCase(),
    commonName: commonName(subject),
    issuerCommonName: commonName(issuer),
    dnsNames: names.flatMap(([type, value]) => (type === "DNS" ? [value] : [])),
    ipAddresses: names.flatMap(([type, value]) => (type === "IP Address" ? [canonicalIpAddress(value) ?? value] : [])),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    isAuthority: certificate.ca,
  };
}

/** The first certificate of a PEM text. Throws when there is none or it cannot be read. */
export function readCertificate(pem: string): X509Certificate {
  const [first] = splitBundle(pem);
  if (first === undefined) throw new Error("Cannot read the certificate: there is none, must be X.509 in PEM");
  try {
    return new X509Certificate(first);
  } catch (error: unknown) {
    throw new Error("Cannot read the certificate: its content is damaged, must be X.509 in PEM", { cause: error });
  }
}

/** The common name that counts, which is the last. */
function commonName(name: { CN?: string | string[] } | undefined): string {
  return [name?.CN ?? ""].flat().at(-1) ?? "";
}

/** Pairs of type and value, from a text such as `DNS:a.example, IP Address:0:0:0:0:0:0:0:1, DNS:"b\u002c c"`. */
function readAlternativeNames(text: string): [type: string, value: string][] {
  // Values with commas, quotes or control characters come as JSON strings, in which a comma is escaped.
  return text
    .split(", ")
    .map((name) => /^([^:]*):(.*)$/s.exec(name))
    .filter((match) => match !== null)
    .map(([, type = "", value = ""]) => [type, value.startsWith('"') ? JSON.parse(value) : value]);
}
