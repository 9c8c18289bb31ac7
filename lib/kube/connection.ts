// How to reach one API server, and as whom.
import type { CredentialSource } from "./credentials.ts";

export interface Connection {
  /** Scheme, host, port and perhaps a path; no slash at the end. */
  readonly serverUrl: string;
  /** Where commands work that name no namespace. */
  readonly namespace: string;
  /** An http or https proxy. */
  readonly proxyUrl?: string;
  /** For calls that have no limit of their own. */
  readonly requestTimeoutMs?: number;
  readonly credentials: CredentialSource;
}
