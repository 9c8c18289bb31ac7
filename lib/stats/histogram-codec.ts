// Histograms as text: the HdrHistogram V2 compressed format in base64, as every HdrHistogram library reads it.
//
//   compressed: cookie 0x1c849314 · length · zlib of the payload
//   payload:    cookie 0x1c849313 · payload length · normalizing offset 0 · significant digits · lowest · highest ·
//               ratio 1.0 · counts as ZigZag LEB128 (64 bits in at most 9 bytes), a run of n zeros as -n
//
// The format has no place for sum and maximum: a decoded histogram takes them from the slots, within 0.8 %, unless
// they are given beside it.
import { deflateSync, inflateSync } from "node:zlib";
import { Histogram, highestOf, highestValueNs, lowestOf, slotCount } from "./histogram.ts";

const compressedCookie = 0x1c849314;
const payloadCookie = 0x1c849313;
const headerBytes = 40;
const digits = 2;

export function encodeHistogram(histogram: Histogram): string {
  const counts = encodeCounts(histogram.counts);
  const payload = Buffer.alloc(headerBytes + counts.length);
  payload.writeUInt32BE(payloadCookie, 0);
  payload.writeUInt32BE(counts.length, 4);
  payload.writeUInt32BE(digits, 12);
  payload.writeBigUInt64BE(1n, 16);
  payload.writeBigUInt64BE(BigInt(highestValueNs), 24);
  payload.writeDoubleBE(1, 32);
  payload.set(counts, headerBytes);
  const compressed = deflateSync(payload, { level: 9 });
  const head = Buffer.alloc(8);
  head.writeUInt32BE(compressedCookie, 0);
  head.writeUInt32BE(compressed.length, 4);
  return Buffer.concat([head, compressed]).toString("base64");
}

/** The histogram that `encodeHistogram` wrote. Throws on text that is none, or has another resolution. */
export function decodeHistogram(text: string): Histogram {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length < 8 || bytes.readUInt32BE(0) !== compressedCookie) throw unreadable("no V2 compressed histogram");
  const payload = inflate(bytes.subarray(8, 8 + bytes.readUInt32BE(4)));
  if (payload.length < headerBytes || payload.readUInt32BE(0) !== payloadCookie) throw unreadable("no V2 payload");
  if (payload.readUInt32BE(12) !== digits || payload.readBigUInt64BE(16) !== 1n) throw unreadable("another resolution");
  return fromCounts(decodeCounts(payload.subarray(headerBytes, headerBytes + payload.readUInt32BE(4))));
}

function inflate(bytes: Uint8Array): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: 1 << 20 });
  } catch (error: unknown) {
    throw unreadable("cut short or damaged", error);
  }
}

function unreadable(what: string, cause?: unknown): Error {
  const must = "must be HdrHistogram V2 with 2 digits and unit 1";
  return new Error(`Cannot decode a histogram: the text is ${what}, ${must}`, { cause });
}

function fromCounts(counts: Float64Array): Histogram {
  const histogram = new Histogram();
  histogram.counts.set(counts);
  for (let slot = 0; slot < slotCount; slot++) {
    const count = counts[slot] as number;
    if (count === 0) continue;
    histogram.total += count;
    histogram.sumNs += count * ((lowestOf(slot) + highestOf(slot)) / 2);
    histogram.maxNs = highestOf(slot);
  }
  return histogram;
}

function encodeCounts(counts: Float64Array): Uint8Array {
  let end = slotCount;
  while (end > 0 && counts[end - 1] === 0) end--;
  const bytes: number[] = [];
  for (let slot = 0; slot < end; ) {
    const run = slot;
    while (counts[slot] === 0) slot++;
    if (slot > run) pushZigZag(bytes, BigInt(run - slot));
    pushZigZag(bytes, BigInt(counts[slot++] as number));
  }
  return Uint8Array.from(bytes);
}

function pushZigZag(bytes: number[], value: bigint): void {
  let rest = value < 0n ? -value * 2n - 1n : value * 2n;
  for (let n = 0; n < 8; n++) {
    if (rest < 0x80n) {
      bytes.push(Number(rest));
      return;
    }
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest)); // the ninth byte holds eight bits
}

function decodeCounts(bytes: Uint8Array): Float64Array {
  const counts = new Float64Array(slotCount);
  let slot = 0;
  for (let at = 0; at < bytes.length; ) {
    let value = 0n;
    for (let n = 0; ; n++) {
      const byte = bytes[at++];
      if (byte === undefined) throw unreadable("cut short");
      if (n === 8) {
        value |= BigInt(byte) << 56n;
        break;
      }
      value |= BigInt(byte & 0x7f) << BigInt(7 * n);
      if (byte < 0x80) break;
    }
    const signed = value & 1n ? -(value >> 1n) - 1n : value >> 1n;
    if (signed < 0n) slot += Number(-signed);
    else if (slot < slotCount) counts[slot++] = Number(signed);
    else throw unreadable("longer than a histogram");
  }
  return counts;
}
