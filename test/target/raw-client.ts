// A client that sends bytes as told and keeps every byte that comes back.
import type { Socket } from "bun";

export class RawClient {
  readonly #socket: Socket<undefined>;
  readonly #incoming: Incoming;

  private constructor(socket: Socket<undefined>, incoming: Incoming) {
    this.#socket = socket;
    this.#incoming = incoming;
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const incoming = new Incoming();
    const socket = await Bun.connect({
      hostname,
      port: Number(port),
      allowHalfOpen: true,
      socket: {
        data: (_, chunk) => incoming.add(chunk.toString("latin1")),
        end: () => incoming.end(),
        close: () => incoming.end(),
      },
    });
    return new RawClient(socket, incoming);
  }

  send(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    if (this.#socket.write(bytes) !== bytes.length) throw new Error("Cannot send: the socket's buffer is full");
  }

  /** Everything received so far, once `isEnough` likes it. */
  async receive(isEnough: (text: string) => boolean): Promise<string> {
    while (!isEnough(this.#incoming.text)) {
      if (this.#incoming.hasEnded)
        throw new Error(`Cannot receive more: the server ended after ${this.#incoming.text}`);
      await this.#incoming.change();
    }
    return this.#incoming.text;
  }

  /** Everything received until the server ended the connection. */
  async receiveAll(): Promise<string> {
    while (!this.#incoming.hasEnded) await this.#incoming.change();
    return this.#incoming.text;
  }

  /** Ends the sending side only. */
  endSending(): void {
    this.#socket.shutdown();
  }

  close(): void {
    this.#socket.end();
  }
}

class Incoming {
  text = "";
  hasEnded = false;
  #wake = () => {};

  add(text: string): void {
    this.text += text;
    this.#wake();
  }

  end(): void {
    this.hasEnded = true;
    this.#wake();
  }

  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
