// Sentences behind a label, on lines of 80 columns.
import { plainText } from "../loadtest/plain-text.ts";

const columns = 80;
const labelWidth = 11;

/** A space that is not between a number and its unit. */
const breakable = / (?!(?:µs|ms|s|%)(?![A-Za-z]))/;

/** The lines of `text`, broken at spaces, the label before the first. */
export function paragraph(label: string, text: string): string[] {
  const lines = [""];
  for (const word of plainText(text).split(breakable)) {
    const last = lines.at(-1) as string;
    const longer = last === "" ? word : `${last} ${word}`;
    if (longer.length <= columns - labelWidth || last === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, index) => (index === 0 ? label : "").padEnd(labelWidth) + line);
}
