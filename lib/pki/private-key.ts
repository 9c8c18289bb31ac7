// Private keys between WebCrypto, which signs with them, and PEM, which Secrets hold.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readCertificate } from "./certificate.ts";
import { keyAlgorithms } from "./key-algorithm.ts";
import { encodePem } from "./pem.ts";

/** The key as PKCS #8 PEM with a newline at the end. It must be extractable. */
export async function exportPrivateKey(key: CryptoKey): Promise<string> {
  return encodePem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", key));
}

/** Whether the private key is that of the text's first certificate; not so when either cannot be read. */
export function isKeyOf(keyPem: string, certificatePem: string): boolean {
  try {
    return readCertificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** A key that signs, from PEM in any of its usual forms, unencrypted. Throws unless it is ECDSA P-256 or RSA. */
export async function importSigningKey(keyPem: string): Promise<CryptoKey> {
  const key = readPrivateKey(keyPem);
  const der = key.export({ format: "der", type: "pkcs8" });
  return crypto.subtle.importKey("pkcs8", new Uint8Array(der), algorithmOf(key), false, ["sign"]);
}

function readPrivateKey(keyPem: string): KeyObject {
  try {
    return createPrivateKey(keyPem);
  } catch (error: unknown) {
    throw new Error("Cannot read the private key: it is no unencrypted key in PEM, must be", { cause: error });
  }
}

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === "rsa") return keyAlgorithms["RSA-2048"];
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return keyAlgorithms["P-256"];
  throw new Error(`Cannot sign with the private key: it is ${curve ?? key.asymmetricKeyType}, must be P-256 or RSA`);
}
