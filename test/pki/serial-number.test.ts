import { expect, test } from "bun:test";
import fc from "fast-check";
import { describeCertificate } from "../../lib/pki/certificate.ts";
import { parseSerialNumber } from "../../lib/pki/serial-number.ts";
import { sampleAuthority } from "./samples.ts";

test.each([
  ["1", "01"],
  ["0A0B", "0a0b"],
  ["0000ff", "ff"],
  ["7".repeat(40), "7".repeat(40)],
])("parseSerialNumber() writes %s as %s", (text, serialNumber) => {
  expect(parseSerialNumber(text)).toBe(serialNumber);
});

test.each(["", "0", "0000", "-1", "0x1", "g", "8".padEnd(40, "0"), "1".repeat(42)])(
  "parseSerialNumber() refuses %j",
  (text) => {
    expect(() => parseSerialNumber(text)).toThrow("must be hexadecimal, positive and of at most 159 bits");
  },
);

test("a certificate carries its serial number, whatever its first bit", async () => {
  const number = fc.bigInt(1n, (1n << 159n) - 1n).map((value) => parseSerialNumber(value.toString(16)));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(number, fc.constantFrom("01", "7f", "80", "ff", "0100", "8000")),
      async (serialNumber) => {
        const { certificatePem } = await sampleAuthority({ serialNumber });
        expect(describeCertificate(certificatePem).serialNumber).toBe(serialNumber);
      },
    ),
  );
});
