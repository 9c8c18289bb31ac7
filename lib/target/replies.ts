// What the target does about each request: which bytes it sends and how the connection ends. Every reply is made once,
// when it is first needed, and counts how often it was given.
import { STATUS_CODES } from "node:http";
import { Ending, type Fault, type FaultPlan, FaultSchedule } from "./fault.ts";
import type { RequestReader } from "./request-reader.ts";
import { encodeResponse, endsConnection, type Framing, needsHttp11, Persistence, Status } from "./response.ts";

export interface Reply {
  bytes: Uint8Array;
  /** Bytes before the body. */
  headBytes: number;
  /** What becomes of the connection once the bytes have left. */
  ending: Ending;
  framing: Framing;
  /** Status of the response; undefined where no whole response is sent. */
  code: number | undefined;
  fault: Fault | undefined;
  /** How often it was given. */
  count: number;
}

export interface RepliesOptions {
  /** Taken in turn, one a request. */
  framings: readonly Framing[];
  bodyBytes: number;
  faults: readonly FaultPlan[];
}

/** A framing with its replies to requests without a fault, by persistence and `isHead`. */
interface Turn {
  framing: Framing;
  plain: Reply[];
}

/** What a request has to say about its reply. */
type Form = Pick<Reply, "framing"> & Pick<RequestReader, "isHead" | "persistence">;

const okBody = "ok\n";
const junk = Buffer.from("220 this is not HTTP\r\n\r\n");
const noBytes = new Uint8Array(0);
/** A location that differs from what was asked, so that the path counts show who follows. */
const location = "Location: /redirected\r\n";

export class Replies {
  readonly #body: Uint8Array;
  readonly #faults: FaultSchedule;
  readonly #turns: readonly Turn[];
  readonly #lengthTurn: Turn = { framing: "length", plain: [] };
  readonly #made = new Map<string, Reply>();

  constructor(options: RepliesOptions) {
    this.#body = Buffer.alloc(options.bodyBytes, okBody);
    this.#faults = new FaultSchedule(options.faults);
    this.#turns = options.framings.map((framing) => ({ framing, plain: [] }));
  }

  /** The reply to the request whose head `reader` has completed; `requestNumber` counts the accepted ones from 1. */
  choose(reader: RequestReader, requestNumber: number): Reply {
    if (reader.status !== Status.Ok) return this.#refusal(reader.status);
    const fault = this.#faults.take(requestNumber);
    let turn = this.#turns[(requestNumber - 1) % this.#turns.length]!;
    if (reader.isHttp10 && needsHttp11(turn.framing)) turn = this.#lengthTurn;
    if (fault !== undefined) return this.#faulty(fault, turn.framing, reader);
    const index = reader.persistence * 2 + (reader.isHead ? 1 : 0);
    return turn.plain[index] ?? this.#plain(turn, index, reader);
  }

  /** Those given at least once. */
  given(): Reply[] {
    return [...this.#made.values()].filter(({ count }) => count > 0);
  }

  #plain({ framing, plain }: Turn, index: number, { isHead, persistence }: RequestReader): Reply {
    plain[index] = this.#once(`${framing} ${index}`, () => reply(200, { framing, isHead, persistence }, this.#body));
    return plain[index];
  }

  #faulty(fault: Fault, framing: Framing, { isHead, persistence }: RequestReader): Reply {
    const key = `${fault.kind} ${framing} ${isHead} ${persistence}`;
    return this.#once(key, () => faultyReply(fault, { framing, isHead, persistence }, this.#body));
  }

  #refusal(status: Status): Reply {
    return this.#once(`${status}`, () => refusal(status));
  }

  #once(key: string, make: () => Reply): Reply {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }
}

function reply(code: number, form: Form, body: Uint8Array, fields = ""): Reply {
  const { framing, persistence } = form;
  return {
    ...encodeResponse({ ...form, code, body, fields }),
    ending: endsConnection(framing, persistence) ? Ending.Closed : Ending.Kept,
    framing,
    code,
    fault: undefined,
    count: 0,
  };
}

function refusal(status: Status): Reply {
  const form: Form = { framing: "length", isHead: false, persistence: Persistence.Closed };
  return reply(status, form, Buffer.from(`${STATUS_CODES[status]}\n`));
}

function faultyReply(fault: Fault, form: Form, body: Uint8Array): Reply {
  const whole = reply(fault.code, visibly(fault, form), body, fault.code === 302 ? location : "");
  const { bytes, headBytes } = whole;
  const ending = fault.ending ?? whole.ending;
  if (fault.sends === "response") return { ...whole, ending, fault };
  const cutAt = headBytes < bytes.length ? (headBytes + bytes.length) >> 1 : headBytes >> 1;
  const sent = { nothing: noBytes, junk, half: bytes.subarray(0, cutAt) }[fault.sends];
  return { ...whole, bytes: sent, headBytes: Math.min(headBytes, sent.length), ending, code: undefined, fault };
}

/** The form that lets the fault show: a cut needs a known end, and an unannounced close must not be announced. */
function visibly({ kind, sends }: Fault, form: Form): Form {
  const isUnannounced = kind === "close-idle";
  if (sends !== "half" && !isUnannounced) return form;
  const framing = endsConnection(form.framing, Persistence.Kept) ? "length" : form.framing;
  const isAnnounced = form.persistence === Persistence.Closed;
  return { ...form, framing, persistence: isUnannounced && isAnnounced ? Persistence.Kept : form.persistence };
}
