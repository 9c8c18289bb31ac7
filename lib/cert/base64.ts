// Texts as Secrets, certificate requests and caBundles carry them.

export function encodeText(text: string): string {
  return btoa(text);
}

/** Whatever is not base64 is passed over. */
export function decodeText(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}
