// Every response the target can give, as bytes made once: status × with or without body × what it says of the connection.
// No Date field: RFC 9110 §6.6.1 asks it only of servers with a clock, and it would have to be rewritten each second.

/** Position of a status in `statusCodes`. */
export const Status = { Ok: 0, BadRequest: 1, LengthRequired: 2, HeadTooLarge: 3, VersionNotSupported: 4 } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What becomes of the connection: kept without a word (HTTP/1.1), kept with one (HTTP/1.0 asks for it), or closed. */
export const Persistence = { Kept: 0, KeptAloud: 1, Closed: 2 } as const;
export type Persistence = (typeof Persistence)[keyof typeof Persistence];

export const statusCodes: readonly number[] = [200, 400, 411, 431, 505];
const reasons = [
  "OK",
  "Bad Request",
  "Length Required",
  "Request Header Fields Too Large",
  "HTTP Version Not Supported",
];
const connectionFields = ["", "Connection: keep-alive\r\n", "Connection: close\r\n"];

/** Index into `responses`. */
export function responseIndex(status: Status, isHead: boolean, persistence: Persistence): number {
  return (status * 2 + (isHead ? 1 : 0)) * 3 + persistence;
}

/** Position in `statusCodes` of a response. */
export function statusOf(response: number): number {
  return Math.floor(response / 6);
}

export const responses: readonly Uint8Array[] = statusCodes.flatMap((code, status) => {
  const reason = reasons[status] as string;
  const body = code === 200 ? "ok\n" : `${reason}\n`;
  return ["with body", "HEAD"].flatMap((form) =>
    connectionFields.map((connection) => {
      const head = `HTTP/1.1 ${code} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n${connection}\r\n`;
      return Buffer.from(form === "HEAD" ? head : head + body);
    }),
  );
});

/** Asks the client to go on with the body that it announced (RFC 9110 §10.1.1). */
export const continueResponse: Uint8Array = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");
