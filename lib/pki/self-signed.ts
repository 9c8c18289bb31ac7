// A certificate that vouches for itself: for a server whose clients are given that very certificate to trust.
import type { Names } from "./names.ts";
import { serverExtensions } from "./server-extensions.ts";
import { certifiedByItself, type OwnContent } from "./signed-certificate.ts";

export type SelfSignedOptions = Names & OwnContent;

/**
 * Certificate and private key (PKCS #8) as PEM. The certificate is no CA, so it can vouch for no other.
 * Throws without names, and when a name, an address, the serial number or the time is none.
 */
export async function selfSigned(options: SelfSignedOptions): Promise<{ certificatePem: string; keyPem: string }> {
  const { keys, dnsNames, ipAddresses } = options;
  const extensions = await serverExtensions(keys.publicKey, options);
  return certifiedByItself(options, dnsNames[0] ?? ipAddresses[0] ?? "", extensions);
}
