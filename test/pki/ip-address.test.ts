import { expect, test } from "bun:test";
import { isIP } from "node:net";
import fc from "fast-check";
import { canonicalIpAddress } from "../../lib/pki/ip-address.ts";

test.each([
  ["10.0.0.1", "10.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:DB8::00ff", "2001:db8::ff"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
  ["10:0:0:a0:0:1:1:1", "10::a0:0:1:1:1"],
  ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["::ffff:1.2.3.4", "::ffff:102:304"],
  ["1:2:3:4::1.2.3.4", "1:2:3:4::102:304"],
])("canonicalIpAddress() writes %s as %s", (text, canonical) => {
  expect(canonicalIpAddress(text)).toBe(canonical);
});

test.each([
  "",
  "a",
  "10.0.0",
  "10.0.0.256",
  "010.0.0.1",
  "10.0.0.1.",
  "10.0.0.0/8",
  "1::2::3",
  "::1%eth0",
  "[::1]",
  "::1]/[",
])("canonicalIpAddress() finds no address in %j", (text) => {
  expect(canonicalIpAddress(text)).toBeUndefined();
});

test("canonicalIpAddress() accepts what node:net does, without zones, and changes its own texts no more", () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.stringMatching(/^[0-9a-f:.]{1,20}$/));
  fc.assert(
    fc.property(text, (text) => {
      const canonical = canonicalIpAddress(text);
      expect(canonical !== undefined).toBe(isIP(text) !== 0 && !text.includes("%"));
      if (canonical !== undefined) expect(canonicalIpAddress(canonical)).toBe(canonical);
    }),
    { numRuns: 2000 },
  );
});

test("canonicalIpAddress() keeps the 128 bits, whichever way they are written", () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, (groups) => {
      const written = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
      // The other implementation: the serializer of WHATWG URLs.
      expect(canonicalIpAddress(written)).toBe(new URL(`http://[${written}]`).hostname.slice(1, -1));
    }),
    { numRuns: 2000 },
  );
});
