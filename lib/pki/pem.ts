// PEM (RFC 7468): text around it is ignored, as are blocks with another label and blocks that do not end.

/** A block with lines of 64 characters and a newline at the end. */
export function encodePem(label: string, der: ArrayBuffer): string {
  return pemBlock(label, new Uint8Array(der).toBase64());
}

/** The blocks with this label, in order, each as `encodePem` writes it; whether they hold base64 is not looked at. */
export function pemBlocks(label: string, text: string): string[] {
  // No hyphen in the body: an unfinished block ends at the next one, and the search takes linear time.
  const block = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, "g");
  return Array.from(text.matchAll(block), ([, body = ""]) => pemBlock(label, body.replace(/\s/g, "")));
}

/** The bytes of the first block with this label. Throws when there is none and when it is not base64. */
export function decodePem(label: string, text: string): Uint8Array<ArrayBuffer> {
  const [block] = pemBlocks(label, text);
  if (block === undefined) throw new Error(`Cannot read a PEM text: it has no block ${label}, must have one`);
  return Uint8Array.fromBase64(block.replace(/-----[^-]+-----/g, ""));
}

function pemBlock(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
