// One connection of the target: what has been read of it, what it is owed, and how it ends.
import type { Socket } from "bun";
import { Ending } from "./fault.ts";
import type { Outbox } from "./outbox.ts";
import type { Reply } from "./replies.ts";
import { RequestReader } from "./request-reader.ts";

/** How long a client may leave a connection open that this side has ended; sockets time out in steps of 4 s. */
const lingerSeconds = 4;

export class Connection {
  readonly socket: Socket<Connection>;
  readonly outbox: Outbox;
  readonly reader = new RequestReader();
  /** To the request that is being read: chosen when its head is complete. */
  reply: Reply | undefined;
  /** Replies that wait for their instant. */
  owed = 0;
  /** Once it is not kept, no more requests are read, and it ends so after the last reply. */
  ending: Ending = Ending.Kept;
  isClosed = false;
  #isEndedByPeer = false;
  #isShutDown = false;

  constructor(socket: Socket<Connection>, outbox: Outbox) {
    this.socket = socket;
    this.outbox = outbox;
  }

  /** The client has ended its side. */
  endByPeer(): void {
    this.#isEndedByPeer = true;
    if (this.ending === Ending.Kept) this.ending = Ending.Closed;
    this.finish();
  }

  /**
   * Ends the connection once its last reply has left. Only the sending side is ended while the client may still be
   * sending: closing on unread bytes resets the connection, which can take the response from the client (RFC 9112 §9.6).
   */
  finish(): void {
    if (this.ending === Ending.Kept || this.owed > 0 || !this.outbox.isEmpty || this.isClosed) return;
    if (this.ending === Ending.Reset) this.socket.terminate();
    else if (this.#isEndedByPeer) this.socket.end();
    else if (this.ending === Ending.Closed && !this.#isShutDown) {
      this.#isShutDown = true;
      this.socket.shutdown();
      this.socket.timeout(lingerSeconds);
    }
  }
}
