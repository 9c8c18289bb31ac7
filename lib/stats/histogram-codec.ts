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
  return decodeCounts(payload.subarray(headerBytes, headerBytes + payload.readUInt32BE(4)));
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

function encodeCounts(counts: Float64Array): Uint8Array {
  let end = slotCount;
  while (end > 0 && counts[end - 1] === 0) end--;
  const bytes = new Uint8Array(9 * end);
  let at = 0;
  for (let slot = 0; slot < end; slot++) {
    const run = slot;
    while (counts[slot] === 0) slot++;
    if (slot > run) at = writeLeb128(bytes, at, 2 * (slot - run) - 1); // zigzag of the negative length of the run
    at = writeLeb128(bytes, at, 2 * (counts[slot] as number)); // zigzag of the count
  }
  return bytes.subarray(0, at);
}

/** Where the next one goes. `value` is a whole number below 2^54, and even from 2^53 on: doubles hold it exactly. */
function writeLeb128(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) + 128;
  bytes[end++] = rest;
  return end;
}

function decodeCounts(bytes: Uint8Array): Histogram {
  const histogram = new Histogram();
  let slot = 0;
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    for (let n = 0; ; n++, scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw unreadable("cut short");
      value += (n === 8 ? byte : byte % 128) * scale; // the ninth byte holds eight bits
      if (n === 8 || byte < 128) break;
    }
    if (value % 2 === 1) slot += (value + 1) / 2;
    else if (slot < slotCount) addSamples(histogram, slot++, value / 2);
    else throw unreadable("longer than a histogram");
  }
  return histogram;
}

function addSamples(histogram: Histogram, slot: number, count: number): void {
  if (count === 0) return;
  histogram.counts[slot] = count;
  histogram.total += count;
  histogram.sumNs += count * ((lowestOf(slot) + highestOf(slot)) / 2);
  histogram.maxNs = highestOf(slot);
}
