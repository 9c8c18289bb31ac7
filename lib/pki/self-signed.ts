// A certificate that vouches for itself: for a server whose clients are given that very certificate to trust.
import type { JsonGeneralName } from "@peculiar/x509";
import { loadX509 } from "./x509.ts";

export interface SelfSignedOptions {
  /** ECDSA, P-256; the private key extractable. */
  keys: CryptoKeyPair;
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
  /** Hexadecimal, unique per certificate. */
  serialNumber: string;
  notBeforeMs: number;
  notAfterMs: number;
}

/** Certificate and private key (PKCS #8) as PEM. The certificate is no CA, so it can vouch for no other. */
export async function selfSigned(options: SelfSignedOptions): Promise<{ certificatePem: string; keyPem: string }> {
  const x509 = await loadX509();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: options.serialNumber,
    name: `CN=${options.dnsNames[0] ?? options.ipAddresses[0]}`,
    notBefore: new Date(options.notBeforeMs),
    notAfter: new Date(options.notAfterMs),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys: options.keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        ...options.dnsNames.map((value): JsonGeneralName => ({ type: "dns", value })),
        ...options.ipAddresses.map((value): JsonGeneralName => ({ type: "ip", value })),
      ]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", options.keys.privateKey);
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: `${x509.PemConverter.encode(key, "PRIVATE KEY")}\n`,
  };
}
