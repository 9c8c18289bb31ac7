// An authority in a Secret, with the names that it was made for.
import { apiGroup } from "../loadtest/api-group.ts";
import type { Authority } from "../pki/authority.ts";
import { isKeyOf } from "../pki/private-key.ts";
import { decodeText, encodeText } from "./base64.ts";
import type { Secret } from "./resources.ts";

/** Comma-separated. */
const namesAnnotation = `${apiGroup}/names`;

/** The authority of a Secret; undefined when it holds none whose certificate and key belong together. */
export function authorityIn({ data = {} }: Secret): Authority | undefined {
  const certificatePem = decodeText(data["ca.crt"] ?? "");
  const keyPem = decodeText(data["ca.key"] ?? "");
  return isKeyOf(keyPem, certificatePem) ? { certificatePem, keyPem } : undefined;
}

export function authorityNamesIn({ metadata }: Secret): string[] {
  return (metadata.annotations?.[namesAnnotation] ?? "").split(",").filter((name) => name !== "");
}

/** The Secret with this authority in place of what it holds. */
export function withAuthority<T extends Secret>(secret: T, authority: Authority, names: readonly string[]): T {
  const annotations = { ...secret.metadata.annotations, [namesAnnotation]: names.join(",") };
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations },
    data: { "ca.crt": encodeText(authority.certificatePem), "ca.key": encodeText(authority.keyPem) },
  };
}
