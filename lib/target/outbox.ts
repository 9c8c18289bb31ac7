// What a connection still has to send, in order: bytes, and rests between them. Bytes that the socket takes at once never
// come here.
import type { Socket } from "bun";
import type { Tally } from "./tally.ts";

/** Unsent bytes from which on a connection is not read until they have left. */
const pauseAtBytes = 256 * 1024;
const noBytes = new Uint8Array(0);
/** Stands in the queue for a rest; compared by identity. */
const restMark = new Uint8Array(0);

export class Outbox {
  readonly #socket: Socket<unknown>;
  readonly #tally: Tally;
  readonly #startRest: () => void;
  /** Bytes and rests from `#first` on; of the first, `#sentOfFirst` bytes have left. */
  #queue: Uint8Array[] = [];
  #first = 0;
  #sentOfFirst = 0;
  #unsentBytes = 0;
  #isResting = false;
  #isPaused = false;

  /** `startRest` is called where a rest begins; `endRest` is to be called some time later. */
  constructor(socket: Socket<unknown>, tally: Tally, startRest: () => void) {
    this.#socket = socket;
    this.#tally = tally;
    this.#startRest = startRest;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Sends `bytes`, which must stay as they are. */
  send(bytes: Uint8Array): void {
    const sentBytes = this.isEmpty ? this.#write(bytes, 0, bytes.length) : 0;
    if (sentBytes < bytes.length) this.#keep(bytes.subarray(sentBytes));
  }

  /** Sends `bytes[0, length)`, which the caller may change afterwards. */
  sendCopy(bytes: Uint8Array, length: number): void {
    const sentBytes = this.isEmpty ? this.#write(bytes, 0, length) : 0;
    if (sentBytes < length) this.#keep(bytes.slice(sentBytes, length));
  }

  /** Parts what was sent before from what is sent afterwards by a rest. */
  rest(): void {
    this.#queue.push(restMark);
    this.sendOn();
  }

  endRest(): void {
    this.#isResting = false;
    this.#dropFirst();
    this.sendOn();
  }

  /** Sends what the socket takes; to be called when it has room again. */
  sendOn(): void {
    while (!this.isEmpty && !this.#isResting) {
      const bytes = this.#queue[this.#first]!;
      if (bytes === restMark) {
        this.#isResting = true;
        this.#startRest();
        return;
      }
      const sentBytes = this.#write(bytes, this.#sentOfFirst, bytes.length);
      this.#unsentBytes -= sentBytes;
      this.#sentOfFirst += sentBytes;
      if (this.#sentOfFirst < bytes.length) return;
      this.#dropFirst();
    }
    if (this.isEmpty && this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }

  /** Returns how many of `bytes[from, to)` the socket took; none when it is closed. */
  #write(bytes: Uint8Array, from: number, to: number): number {
    const sentBytes = Math.max(0, this.#socket.write(bytes, from, to - from));
    this.#tally.bytesSent += sentBytes;
    return sentBytes;
  }

  #keep(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes >= pauseAtBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#socket.pause();
    }
  }

  #dropFirst(): void {
    this.#queue[this.#first++] = noBytes; // frees what was sent
    this.#sentOfFirst = 0;
    if (this.#first < this.#queue.length) return;
    this.#queue = [];
    this.#first = 0;
  }
}
