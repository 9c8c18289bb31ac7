// How deep and how wide a JSON text is, before it is parsed and judged: a few megabytes of brackets are cheap to send,
// parsers and validators recurse, and a validator has something to say of every wrong member.

export interface JsonShape {
  /** Lists and objects that stand in one another. */
  depth: number;
  /** Members of all lists and objects, an empty one counted as one. */
  members: number;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** In one pass; of what is no JSON, the same signs are counted. */
export function shapeOf(text: string): JsonShape {
  let open = 0;
  let depth = 0;
  let members = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === quote) index = endOfString(text, index);
    else if (code === comma) members++;
    else if (code === openingBrace || code === openingBracket) {
      members++;
      if (++open > depth) depth = open;
    } else if (code === closingBrace || code === closingBracket) open--;
  }
  return { depth, members };
}

/** The index of the quote that ends the string which begins at `start`; the text's length when none does. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === backslash) index++;
    else if (code === quote) return index;
  }
  return text.length;
}
