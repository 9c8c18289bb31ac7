// Where a response is cut into TCP segments: in turn at all the places where a parser may have to carry on in the middle.

/** Bytes after the head that are cut like it: chunk sizes and line ends are among them. */
const bodyCutBytes = 32;

/**
 * The offsets at which the `index`-th response is cut, rising, each within (0, length). Every eighth response has its
 * head and a little more cut into single bytes; any other is cut once in this part, at a place that moves on by a byte
 * each time, and once in its last seven bytes.
 */
export function cutOffsets(length: number, headBytes: number, index: number): number[] {
  const firstBytes = headBytes + bodyCutBytes;
  const turn = index % 8;
  const cuts =
    turn === 0
      ? Array.from({ length: firstBytes }, (_, before) => before + 1)
      : [...new Set([1 + (index % firstBytes), length - turn])];
  return cuts.filter((cut) => cut > 0 && cut < length).sort((a, b) => a - b);
}
