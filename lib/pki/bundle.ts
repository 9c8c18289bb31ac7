// Bundles: the certificates of one PEM text, as a chain file or a `caBundle` holds them.
import { pemBlocks } from "./pem.ts";

/** The certificates of a PEM text in order, each with one newline at the end; everything else in it is ignored. */
export function splitBundle(text: string): string[] {
  return pemBlocks("CERTIFICATE", text);
}

/** One PEM text of all the certificates in the given texts, each where it first stands and no more. */
export function joinBundle(certificates: readonly string[]): string {
  return [...new Set(certificates.flatMap(splitBundle))].join("");
}
