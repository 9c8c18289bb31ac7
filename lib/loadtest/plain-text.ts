// Texts from outside, of the API server, of kubelets, workers and targets, as they may stand in objects and on terminals.

const mark = "…";

/**
 * On one line, without control characters, which a terminal would obey, and cut to so many bytes of UTF-8. Halves of
 * surrogate pairs become U+FFFD, as they would in storage: the same text is found again.
 */
export function plainText(text: string, mostBytes = Number.POSITIVE_INFINITY): string {
  const plain = text
    .toWellFormed()
    .replace(/[\p{Cc} ]+/gu, " ")
    .trim();
  const bytes = Buffer.from(plain);
  if (bytes.length <= mostBytes) return plain;
  let end = mostBytes - Buffer.byteLength(mark);
  while (isWithinCharacter(bytes[end])) end--;
  return bytes.toString("utf8", 0, end) + mark;
}

function isWithinCharacter(byte: number | undefined): boolean {
  return ((byte ?? 0) & 0xc0) === 0x80;
}
