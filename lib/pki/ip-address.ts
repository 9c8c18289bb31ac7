// IP addresses in one form, so that those of certificates, requests and flags compare as text.

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ipv6Group = /^[0-9a-f]{1,4}$/i;

/**
 * The address as RFC 5952 §4 writes it, an IPv4-mapped one in hexadecimal too; undefined when `text` is no IP address.
 * Leading zeros in IPv4 and zones in IPv6 make none.
 */
export function canonicalIpAddress(text: string): string | undefined {
  if (ipv4.test(text)) return text;
  const groups = ipv6Groups(text);
  return groups && compressed(groups);
}

/** The eight groups of an IPv6 address, each without leading zeros. */
function ipv6Groups(text: string): string[] | undefined {
  const [left = [], right, ...more] = withoutIpv4Tail(text)
    .split("::")
    .map((half) => (half === "" ? [] : half.split(":")));
  const written = [...left, ...(right ?? [])];
  const missing = 8 - written.length;
  const isComplete = right === undefined ? missing === 0 : missing > 0;
  if (more.length > 0 || !isComplete || !written.every((group) => ipv6Group.test(group))) return undefined;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...(right ?? [])];
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}

/** An IPv6 address whose last 32 bits may have been written as an IPv4 address, with those in hexadecimal. */
function withoutIpv4Tail(text: string): string {
  const head = text.slice(0, text.lastIndexOf(":") + 1);
  const tail = text.slice(head.length);
  if (!ipv4.test(tail)) return text;
  const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
  return `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** The longest run of two zeros or more, the first of several, becomes `::`. */
function compressed(groups: readonly string[]): string {
  const text = groups.join(":");
  const [longest] = [...text.matchAll(/\b0(?::0)+\b/g)].toSorted(([a], [b]) => b.length - a.length);
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}
