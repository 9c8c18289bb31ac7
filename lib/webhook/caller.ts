// Who may ask for a verdict: by default everybody; on request only who has a certificate of an authority, or a token.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Refusal } from "./refusal.ts";

export interface CallerRules {
  /** Whether the client must have a certificate, which the TLS server has verified. */
  needsCertificate: boolean;
  /** The common names of certificates that may; undefined: all. */
  names?: readonly string[] | undefined;
}

export class Caller {
  readonly #rules: CallerRules;
  /** Of the token that the client must have; undefined: none. */
  #tokenHash: Buffer | undefined;

  constructor(rules: CallerRules) {
    this.#rules = rules;
  }

  get needsCertificate(): boolean {
    return this.#rules.needsCertificate;
  }

  /** From now on this token is needed, and no other will do. Throws when it is none. */
  useToken(text: string): void {
    const token = text.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("Cannot use the caller's token: must be one printable word");
    this.#tokenHash = hash(token);
  }

  /** Why this request's sender may not ask. */
  refusal({ socket, headers }: IncomingMessage): Refusal | undefined {
    const { needsCertificate, names } = this.#rules;
    if (needsCertificate) {
      // Only `authorized` says that the certificate was verified; getPeerCertificate() shows any.
      const { authorized, getPeerCertificate } = socket as Partial<TLSSocket>;
      if (authorized !== true || getPeerCertificate === undefined) {
        return refusal("no valid client certificate came with it, must be one of the configured authority");
      }
      const name: unknown = (socket as TLSSocket).getPeerCertificate().subject?.CN;
      if (names !== undefined && !(typeof name === "string" && names.includes(name))) {
        return refusal("the client certificate is somebody else's, must be of an allowed common name");
      }
    }
    if (this.#tokenHash === undefined) return undefined;
    const token = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? "")?.[1] ?? "";
    // Hashes have one length, and comparing them takes one time: neither tells how much of a guess was right.
    if (timingSafeEqual(hash(token), this.#tokenHash)) return undefined;
    const must = "must have an Authorization field with Bearer and the configured token";
    return { ...refusal(`its token is missing or wrong, ${must}`), headers: { "WWW-Authenticate": "Bearer" } };
  }
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function refusal(problem: string): Refusal {
  return { status: 401, reason: "caller", message: `Cannot review the request: ${problem}` };
}
