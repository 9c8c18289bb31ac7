// One place for a connection to the target. It carries one request at a time, and is opened again when it was closed.
//
//   closed ──open──▶ connecting ──▶ idle ◀──response── busy
//      ▲                 │           │ ──────send──────▶ │
//      └──── failure ────┴── close ──┴────── close ──────┘
import type { Socket } from "bun";
import { ResponseParser } from "../load/response-parser.ts";

export const ConnectionState = { Closed: 0, Connecting: 1, Idle: 2, Busy: 3 } as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** One address tried for a connection; events of an attempt that was given up are ignored. */
export interface Attempt {
  readonly connection: Connection;
  readonly address: string;
  /** How many other addresses may be tried after this one. */
  readonly othersLeft: number;
  /** When the first address was tried: until the plan's timeout has passed since then, one may answer. */
  readonly beganNs: number;
}

export class Connection {
  state: ConnectionState = ConnectionState.Closed;
  attempt: Attempt | undefined;
  socket: Socket<Attempt> | undefined;
  readonly parser = new ResponseParser();
  /** Whether it stands in a queue of free connections. */
  isQueued = false;
  /** Which request it carries or is being opened for; -1: none. */
  request = -1;
  intendedNs = 0;
  /** When the request was given to this connection. */
  dispatchedNs = 0;
  sentNs = 0;
  /** When this connection was last ready for a request. */
  freeNs = 0;
  /** When it is to be opened anew; Infinity: never. */
  expiresNs = Number.POSITIVE_INFINITY;
  /** Whether it has carried a request since it was opened. */
  hasServed = false;
  hasHeard = false;
  /** Whether it is one too many, and closed when it has no request. */
  isRetired = false;
  /** What the socket would not take at once of the request. */
  unwritten: Uint8Array | undefined;

  /** Ends the socket, if any, and ignores what it may still say. */
  abandon(): void {
    const { socket } = this;
    this.state = ConnectionState.Closed;
    this.attempt = undefined;
    this.socket = undefined;
    this.unwritten = undefined;
    socket?.terminate();
  }
}
