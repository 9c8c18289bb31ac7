// The certificates of a connection, checked before use: Bun's fetch says of bad ones only that a socket did not open.
import { createPrivateKey, X509Certificate } from "node:crypto";

/** PEM texts, and the options of Bun's fetch that go with them. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name to ask for and verify, where it is not the host of the URL. */
  readonly serverName?: string;
  readonly rejectUnauthorized?: boolean;
}

type MaybeAbsent<T> = { [Name in keyof T]: T[Name] | undefined };

/** The options that are there. Throws, without quoting any of it, when something cannot be used. */
export function tlsOptions(values: MaybeAbsent<TlsOptions>): TlsOptions {
  checkPem(values);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function checkPem({ ca, cert, key }: MaybeAbsent<TlsOptions>): void {
  if (ca !== undefined) parsePem("certificate authority", () => new X509Certificate(ca));
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error(`the client ${cert === undefined ? "certificate" : "key"} is missing, must be beside the other`);
  }
  if (cert === undefined || key === undefined) return;
  const certificate = parsePem("client certificate", () => new X509Certificate(cert));
  const privateKey = parsePem("client key", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error("the client key does not belong to the client certificate, must be its private key");
  }
}

function parsePem<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`the ${what} cannot be read, must be PEM`); // the parser's words say less, and may quote the key
  }
}
