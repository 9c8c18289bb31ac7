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
        end: () => incoming.end("closed"),
        close: (_, error) => incoming.end((error as NodeJS.ErrnoException)?.code === "ECONNRESET" ? "reset" : "closed"),
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
      if (this.endedBy !== undefined)
        throw new Error(`Cannot receive more: the server ended after ${this.#incoming.text}`);
      await this.#incoming.change();
    }
    return this.#incoming.text;
  }

  /** Everything received until the server ended the connection. */
  async receiveAll(): Promise<string> {
    while (this.endedBy === undefined) await this.#incoming.change();
    return this.#incoming.text;
  }

  /** How the server ended the connection; undefined while it has not. */
  get endedBy(): Ending | undefined {
    return this.#incoming.endedBy;
  }

  /** The pieces in which everything came. */
  get pieces(): readonly string[] {
    return this.#incoming.pieces;
  }

  /** Ends the sending side only. */
  endSending(): void {
    this.#socket.shutdown();
  }

  close(): void {
    this.#socket.end();
  }

  /** Ends the connection by RST. */
  reset(): void {
    this.#socket.terminate();
  }
}

type Ending = "closed" | "reset";

class Incoming {
  text = "";
  pieces: string[] = [];
  endedBy: Ending | undefined;
  #wake = () => {};

  add(text: string): void {
    this.text += text;
    this.pieces.push(text);
    this.#wake();
  }

  end(by: Ending): void {
    this.endedBy ??= by;
    this.#wake();
  }

  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
