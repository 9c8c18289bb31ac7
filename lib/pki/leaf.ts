// A server's certificate, issued by an authority.
import type { X509Certificate } from "@peculiar/x509";
import type { Authority } from "./authority.ts";
import { type Names, subjectName } from "./names.ts";
import { decodePem } from "./pem.ts";
import { importSigningKey, isKeyOf } from "./private-key.ts";
import { serverExtensions } from "./server-extensions.ts";
import { signedCertificate } from "./signed-certificate.ts";
import { loadX509 } from "./x509.ts";

export interface CertificateOptions extends Names {
  /** The server's: of its key pair, or of its certificate request. */
  publicKey: CryptoKey;
  /** Not empty. Beside no DNS name, it must not look like one or like IPv4: OpenSSL would hold it to the constraints. */
  commonName: string;
  /** Hexadecimal, unique per certificate of the authority. */
  serialNumber: string;
  notBeforeMs: number;
  /** The certificate ends with its authority's if that is earlier. */
  notAfterMs: number;
}

/**
 * The certificate as PEM. Names outside the authority's constraints are signed all the same; whoever verifies refuses them.
 * Throws when the authority's certificate and key cannot be read or do not belong together, without names, and when a
 * name, an address, the serial number or the time is none.
 */
export async function issueCertificate(authority: Authority, options: CertificateOptions): Promise<string> {
  const issuer = await readAuthority(authority);
  const { publicKey, serialNumber, notBeforeMs } = options;
  return signedCertificate({
    subject: await subjectName(options.commonName),
    publicKey,
    issuer: issuer.subjectName,
    signingKey: await importSigningKey(authority.keyPem),
    serialNumber,
    notBeforeMs,
    notAfterMs: Math.min(options.notAfterMs, issuer.notAfter.getTime()),
    extensions: [...(await serverExtensions(publicKey, options)), await authorityKeyIdentifier(issuer)],
  });
}

async function readAuthority({ certificatePem, keyPem }: Authority): Promise<X509Certificate> {
  const x509 = await loadX509();
  if (!isKeyOf(keyPem, certificatePem)) {
    throw new Error("Cannot issue a certificate: the authority's key is not its certificate's, must be");
  }
  return new x509.X509Certificate(decodePem("CERTIFICATE", certificatePem));
}

/** Names the authority's key as its own certificate does, which need not be by the usual hash. */
async function authorityKeyIdentifier(issuer: X509Certificate) {
  const x509 = await loadX509();
  const subjectKey = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  return subjectKey
    ? new x509.AuthorityKeyIdentifierExtension(subjectKey.keyId)
    : x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey);
}
