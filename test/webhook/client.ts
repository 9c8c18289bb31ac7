// A client that sends bytes as told, and reads answers with the driver's parser, which takes nothing that is malformed.
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { Progress, ResponseParser } from "../../lib/load/response-parser.ts";

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export class Client {
  readonly #socket: Socket;
  /** What has come and is not part of an answer yet. */
  #pending = Buffer.alloc(0);
  #isEnded = false;
  #problem = "closed";
  readonly #ended = Promise.withResolvers<void>();
  #wake = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#wake();
    });
    socket.on("error", (error: Error) => {
      this.#problem = error.message;
    });
    socket.on("close", () => {
      this.#isEnded = true;
      this.#ended.resolve();
      this.#wake();
    });
  }

  /** By TLS with these options; without any, by plain TCP. Rejects when that fails. */
  static open(port: number, tls?: ConnectionOptions): Promise<Client> {
    return new Promise((resolve, reject) => {
      const at = { host: "127.0.0.1", port };
      const opened = () => {
        socket.removeListener("error", reject);
        resolve(new Client(socket));
      };
      const socket =
        tls === undefined ? connectTcp(at, opened) : connectTls({ ...at, servername: "localhost", ...tls }, opened);
      socket.once("error", reject);
    });
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next answer. Rejects when the server ends the connection before it is whole, or sends what is no answer. */
  async answer(): Promise<Answer> {
    const parser = new ResponseParser();
    parser.begin(false);
    for (let end = 0; ; await this.#change()) {
      while (end < this.#pending.length) {
        const progress = parser.feed(this.#pending.subarray(end, ++end));
        if (progress === Progress.Malformed) throw new Error(`no answer: ${JSON.stringify(`${this.#pending}`)}`);
        if (progress === Progress.Complete) return this.#take(end);
      }
      if (this.#isEnded) throw new Error(`no answer: ${this.#problem} after ${JSON.stringify(`${this.#pending}`)}`);
    }
  }

  /** Resolves when these words have come, as part of the next answer. */
  async sees(words: string): Promise<void> {
    while (!this.#pending.includes(words) && !this.#isEnded) await this.#change();
    if (this.#isEnded) throw new Error(`not seen: ${this.#pending}`);
  }

  /** Resolves when the connection has ended. */
  ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The fingerprint of the server's certificate. */
  get peer(): string {
    return (this.#socket as TLSSocket).getPeerCertificate().fingerprint256;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Ends the sending side. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(endBytes: number): Answer {
    let text = this.#pending.toString("utf8", 0, endBytes);
    this.#pending = this.#pending.subarray(endBytes);
    while (/^HTTP\/1\.1 1\d\d/.test(text)) text = text.slice(text.indexOf("\r\n\r\n") + 4);
    const end = text.indexOf("\r\n\r\n");
    const [statusLine = "", ...fields] = text.slice(0, end).split("\r\n");
    const headers = fields.map((field) => [
      field.slice(0, field.indexOf(":")).toLowerCase(),
      field.slice(field.indexOf(":") + 1).trim(),
    ]);
    return {
      status: Number(statusLine.split(" ")[1]),
      headers: Object.fromEntries(headers),
      body: text.slice(end + 4),
    };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** A POST as the API server sends it; `fields` replace or add to its own. */
export function post(path: string, body: string | Uint8Array, fields: Record<string, string> = {}): Buffer {
  const bytes = Buffer.from(body as Uint8Array);
  const all = {
    Host: "localhost",
    "Content-Type": "application/json",
    "Content-Length": String(bytes.length),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), bytes]);
}
