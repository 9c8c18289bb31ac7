// A watch: one answer without end, an event a line
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
import type { KubeObject } from "../plan/objects.ts";
import { ApiError } from "./api-error.ts";
import type { WatchEvent, WatchOptions } from "./client.ts";
import type { Connection } from "./connection.ts";
import { connectionError, failureOf } from "./connection-error.ts";
import { type ApiRequest, openStream } from "./exchange.ts";

const silenceMs = 90_000;
const openingMs = 10_000;

interface Line {
  type: WatchEvent<KubeObject>["type"] | "ERROR";
  object: { code?: number };
}

/**
 * The events of one stream. `counted` is told of each piece's length in bytes. One that falls silent is broken; one that
 * has never said anything ends: an API server has no bookmarks for kinds of which it has seen no change since it started.
 */
export async function* watchStream<T extends KubeObject>(
  connection: Connection,
  request: ApiRequest,
  options: Pick<WatchOptions, "silenceMs" | "signal">,
  counted: (bytes: number) => void,
): AsyncGenerator<WatchEvent<T>> {
  const silence = new Silence(options.silenceMs ?? silenceMs);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  let isMute = false;
  try {
    const stream = await openStream(connection, request, { timeoutMs: openingMs, signal });
    isMute = true;
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of stream) {
      isMute = false;
      silence.broken();
      counted(piece.byteLength);
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) yield parseEvent<T>(request, line);
    }
  } catch (error: unknown) {
    options.signal.throwIfAborted();
    if (error instanceof ApiError) throw error;
    if (isMute && silence.signal.aborted) return;
    throw connectionError(request, connection.serverUrl, silence.signal.aborted ? "timeout" : failureOf(error), error);
  } finally {
    silence.end();
  }
}

function parseEvent<T extends KubeObject>(request: ApiRequest, text: string): WatchEvent<T> {
  const line: Line = JSON.parse(text);
  if (line.type !== "ERROR") return line as unknown as WatchEvent<T>;
  const { code = 500 } = line.object;
  throw new ApiError({ method: "GET", path: request.path, code, body: JSON.stringify(line.object), retryAfter: null });
}

/** Aborts once nothing has come for too long. */
class Silence {
  readonly #controller = new AbortController();
  readonly #lengthMs: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
    this.#timer = this.#begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#begin();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(); // the stream, where the reader has stopped early
  }

  #begin(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), this.#lengthMs);
  }
}
