// HTTP request → verdict. Whenever the uid of a review can be read, the answer is a review with that uid and status 200,
// whatever else is wrong; everything else is refused in plain text.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Judge } from "../loadtest/admission.ts";
import {
  type AdmissionRequest,
  type AdmissionResponse,
  type AdmissionReview,
  readReview,
  reviewResponse,
} from "../loadtest/admission-review.ts";
import { monotonicNs } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Caller } from "./caller.ts";
import { shapeOf } from "./json-shape.ts";
import type { AdmissionMetrics } from "./metrics.ts";
import { type Refusal, refuse, show } from "./refusal.ts";
import type { RequestBodies } from "./request-bodies.ts";
import { messageRefusal, pathOf, refusal, reviewHeadRefusal } from "./request-head.ts";

/** By path. */
export type Judges = Readonly<Record<string, Judge>>;

export interface ReviewOptions {
  judges: Judges;
  caller: Caller;
  bodies: RequestBodies;
  metrics: AdmissionMetrics;
  log: Log;
}

/** Far more than any review of ours has, and far less than what a recursion would mind. */
const maxDepth = 128;
/** A review of two largest LoadTests has some 8,000. Of a million wrong ones, a validator would speak for seconds. */
const maxMembers = 20_000;

export class ReviewHandler {
  readonly #options: ReviewOptions;

  constructor(options: ReviewOptions) {
    this.#options = options;
  }

  /** Answers one request, now or when its body has arrived. `isWaiting`: the client sends the body when it is told to. */
  handle(request: IncomingMessage, response: ServerResponse, isWaiting: boolean): void {
    const { judges, caller, bodies, metrics } = this.#options;
    const startedNs = monotonicNs();
    const path = pathOf(request.url ?? "");
    const judge = Object.hasOwn(judges, path) ? judges[path] : undefined;
    if (judge === undefined) {
      this.refuse(request, response, messageRefusal(request) ?? this.#noSuchPath(path));
      return;
    }
    const wrong = messageRefusal(request) ?? caller.refusal(request) ?? reviewHeadRefusal(request);
    if (wrong !== undefined) {
      this.refuse(request, response, wrong);
      return;
    }
    if (isWaiting) response.writeContinue();
    const send = (answer: AdmissionReview | Refusal) => {
      if ("response" in answer) {
        const bytes = Buffer.from(JSON.stringify(answer));
        response.setHeader("Content-Type", "application/json");
        response.setHeader("Content-Length", bytes.length);
        response.end(bytes);
        metrics.seconds.observe({ path }, (monotonicNs() - startedNs) / 1e9);
      } else this.refuse(request, response, answer);
    };
    bodies.read(request, (body) => {
      const answer = body instanceof Uint8Array ? this.#review(path, judge, body) : body;
      if (answer instanceof Promise) void answer.then(send);
      else send(answer);
    });
  }

  refuse(request: IncomingMessage, response: ServerResponse, refused: Refusal): void {
    refuse(request, response, this.count(refused));
  }

  count(refused: Refusal): Refusal {
    const { status, reason } = refused;
    this.#options.metrics.refused.inc({ reason });
    this.#options.log.debug({ status, reason }, "refused");
    return refused;
  }

  /** Of the body nothing is read once this has returned. */
  #review(path: string, judge: Judge, body: Uint8Array): AdmissionReview | Refusal | Promise<AdmissionReview> {
    const text = decode(body);
    if (typeof text !== "string") return text;
    const { depth, members } = shapeOf(text);
    if (depth > maxDepth) return refusal(400, "body", `its JSON is ${depth} levels deep, must be ${maxDepth} at most`);
    const parsed = parseJson(text);
    if (!("value" in parsed)) return parsed;
    const read = readReview(parsed.value);
    if ("problem" in read) {
      if (read.uid === undefined) return refusal(400, "review", read.problem);
      return this.#deny(read.uid, refusal(400, "review", read.problem));
    }
    if (members > maxMembers) {
      const problem = `its JSON has ${members} fields and items, must have ${maxMembers} at most`;
      return this.#deny(read.request.uid, refusal(413, "tooLarge", problem));
    }
    const { request } = read;
    const verdict = this.#judge(path, judge, request);
    if (!(verdict instanceof Promise)) return reviewResponse(request.uid, verdict);
    return verdict.then((later) => reviewResponse(request.uid, later));
  }

  /** A refusal to who can be answered with a review. */
  #deny(uid: string, { status, reason, message }: Refusal): AdmissionReview {
    this.#options.metrics.refused.inc({ reason });
    const words = status === 413 ? "RequestEntityTooLarge" : "BadRequest";
    return reviewResponse(uid, { allowed: false, status: { code: status, reason: words, message } });
  }

  #judge(path: string, judge: Judge, request: AdmissionRequest): AdmissionResponse | Promise<AdmissionResponse> {
    try {
      const verdict = judge(request);
      if (!(verdict instanceof Promise)) return this.#judged(path, request, verdict);
      return verdict
        .then((later) => this.#judged(path, request, later))
        .catch((error) => this.#panic(path, request, error));
    } catch (error: unknown) {
      return this.#panic(path, request, error);
    }
  }

  #judged(path: string, request: AdmissionRequest, verdict: AdmissionResponse): AdmissionResponse {
    const { metrics, log } = this.#options;
    metrics.reviewed(path, request, verdict.allowed);
    const about = { path, ...namesOf(request) };
    if (verdict.allowed) log.debug(about, "allowed");
    else log.info({ ...about, errors: errorCount(verdict) }, "denied");
    return verdict;
  }

  #panic(path: string, request: AdmissionRequest, error: unknown): AdmissionResponse {
    const { metrics, log } = this.#options;
    metrics.panics.inc();
    log.error({ path, ...namesOf(request), ...origin(error) }, "cannot judge an object: internal error");
    const message = "Cannot review the request: internal error, see the webhook's log";
    return { allowed: false, status: { code: 500, reason: "InternalError", message } };
  }

  #noSuchPath(path: string): Refusal {
    return refusal(404, "path", `there is no ${show(path)}, must be ${Object.keys(this.#options.judges).join(" or ")}`);
  }
}

function decode(body: Uint8Array): string | Refusal {
  if (body.length === 0) return refusal(400, "body", "its body is empty, must be an AdmissionReview");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return refusal(400, "body", "its body is no text, must be JSON in UTF-8");
  }
}

function parseJson(text: string): { value: unknown } | Refusal {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return refusal(400, "body", "its body is no JSON, must be an AdmissionReview");
  }
}

/** What the log may say of an object. */
function namesOf({ kind, object, oldObject }: AdmissionRequest): Record<string, string> {
  const { metadata } = (object ?? oldObject ?? {}) as { metadata?: Record<string, unknown> | null };
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, 253) : "");
  return {
    kind: text(kind.kind),
    namespace: text(metadata?.["namespace"]),
    name: text(metadata?.["name"]) || text(metadata?.["generateName"]),
  };
}

function errorCount({ status }: AdmissionResponse): number {
  const { causes } = (status?.details ?? {}) as { causes?: unknown[] };
  return causes?.length ?? 1;
}

/** Where an error comes from. Its message stays out: it may repeat what is in the object. */
function origin(error: unknown): { error: string; stack: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, stack: [] };
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: frames.map((frame) => frame.trim()) };
}
