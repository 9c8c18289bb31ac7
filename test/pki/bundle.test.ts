import { expect, test } from "bun:test";
import fc from "fast-check";
import { joinBundle, splitBundle } from "../../lib/pki/bundle.ts";
import { encodePem } from "../../lib/pki/pem.ts";
import { sampleAuthority, sampleLeaf } from "./samples.ts";

const authority = await sampleAuthority();
const leaf = await sampleLeaf(authority);
const key = authority.keyPem;

test.each([
  ["nothing", "", []],
  ["text", "no certificate here", []],
  ["a key", key, []],
  ["one certificate", leaf, [leaf]],
  [
    "two with a key and text between them",
    `# first\n${leaf}${key}second: ${authority.certificatePem}`,
    [leaf, authority.certificatePem],
  ],
  ["one with the line ends of Windows", leaf.replaceAll("\n", "\r\n"), [leaf]],
  ["one with longer lines and none at the end", leaf.replace(/\n(?!-)(?=.*\n[A-Za-z0-9+/=])/g, "").trimEnd(), [leaf]],
  [
    "one that does not end before another",
    `${leaf.slice(0, 200)}\n${authority.certificatePem}`,
    [authority.certificatePem],
  ],
  ["another label", leaf.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE"), []],
])("splitBundle() finds the certificates of %s", (_, text, certificates) => {
  expect(splitBundle(text)).toEqual(certificates);
});

test("joinBundle() keeps the order, ends every certificate with one newline and drops duplicates", () => {
  const bundle = joinBundle([leaf.trimEnd(), `${authority.certificatePem}\n\n`, leaf.replaceAll("\n", "\r\n"), key]);
  expect(bundle).toBe(leaf + authority.certificatePem);
});

test("joinBundle() of what splitBundle() finds is the bundle again", () => {
  const block = fc.uint8Array({ minLength: 1 }).map((bytes) => encodePem("CERTIFICATE", new Uint8Array(bytes).buffer));
  fc.assert(
    fc.property(fc.array(block), fc.array(fc.string()), (blocks, texts) => {
      const bundle = joinBundle(blocks);
      expect(splitBundle(bundle)).toEqual([...new Set(blocks)]);
      expect(joinBundle(splitBundle(bundle))).toBe(bundle);
      const hyphenless = texts.map((text) => text.replaceAll("-", ""));
      expect(joinBundle(blocks.map((block, i) => `${hyphenless[i] ?? ""}\n${block}`))).toBe(bundle);
    }),
  );
});

test("splitBundle() takes time in proportion to the text, whatever is in it", () => {
  const begin = "-----BEGIN CERTIFICATE-----";
  for (const text of [`${begin}\n`.repeat(1e5), "-".repeat(2e6), begin + "A".repeat(2e6), begin + "\n".repeat(2e6)]) {
    expect(splitBundle(text)).toEqual([]);
  }
});
