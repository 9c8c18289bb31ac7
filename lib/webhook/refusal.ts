// Answers to what is no review: a status, a line of plain text, and a name to count it by.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

export interface Refusal {
  status: number;
  /** What it is counted as; of a fixed set. */
  reason: string;
  /** What is wrong, and what it must be. */
  message: string;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Answers with the refusal. A body that is still arriving is read on and thrown away, for to close a connection with bytes
 * unread resets it, and the client would not see why.
 */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const text = `${refusal.message}\n`;
  const isRead = request.complete || !hasBody(request);
  for (const [name, value] of Object.entries(fieldsOf(refusal, text))) response.setHeader(name, value);
  if (!isRead) response.setHeader("Connection", "close");
  response.statusCode = refusal.status;
  if (isRead) {
    response.end(text);
    return;
  }
  response.write(text);
  request.on("data", () => {});
  request.once("close", () => response.end());
  request.once("end", () => response.end());
}

/** Answers on a connection whose bytes are no HTTP request, and closes it. */
export function refuseRaw(socket: Duplex, refusal: Refusal): void {
  const text = `${refusal.message}\n`;
  const fields = Object.entries({ ...fieldsOf(refusal, text), Connection: "close" });
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    ...fields.map((pair) => pair.join(": ")),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}

/** Whether the head announces a body, of no bytes perhaps. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** A value of a client's, for a message: quoted, and not at length. */
export function show(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

function fieldsOf({ headers }: Refusal, text: string): Record<string, string> {
  return {
    ...headers,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(text)),
  };
}
