// TLS to the target: whom to trust, and the check of chain and host name, which Bun leaves to the caller.
import { checkServerIdentity, type PeerCertificate, rootCertificates } from "node:tls";
import type { PlannedBackend, WorkerPlan } from "../load/worker-plan.ts";
import { readTextFile, readTextFileIfPresent } from "../runtime/files.ts";
import { TargetError } from "./target-error.ts";

export type TlsOptions = Bun.TLSOptions & { serverName: string };

/** The options for every connection to a backend: one object for all, because Bun keeps a TLS context for each. */
export async function tlsOptions({ tls }: WorkerPlan, { origin }: PlannedBackend): Promise<TlsOptions | undefined> {
  if (origin.scheme === "http") return undefined;
  const extra = tls.caFiles.map((file) => readTextFileIfPresent(file)).filter((pem) => pem !== undefined);
  const own = tls.clientCertificate;
  return {
    serverName: tls.serverName ?? origin.host,
    ca: [...rootCertificates, ...extra],
    rejectUnauthorized: false,
    ...(own === undefined ? {} : { cert: await readTextFile(own.certFile), key: await readTextFile(own.keyFile) }),
  };
}

const nameMismatch = "ERR_TLS_CERT_ALTNAME_INVALID";

interface TlsSocket {
  getPeerCertificate(): unknown;
}

/** What is wrong with the peer's certificate for `host`, given the verification error; undefined: nothing. */
export function verifyPeer(socket: TlsSocket, host: string, verification: Error | null): TargetError | undefined {
  const { code, message } = (verification ?? {}) as NodeJS.ErrnoException;
  if (verification !== null && code !== nameMismatch) {
    return new TargetError("tlsChain", `Cannot trust the certificate of "${host}": ${message} (${code})`);
  }
  // Bun finds some wrong names by itself and lets others through: ours is the judgment either way.
  const certificate = socket.getPeerCertificate() as PeerCertificate;
  if (verification === null && checkServerIdentity(host, certificate) === undefined) return undefined;
  const names = certificate.subjectaltname ?? "no name";
  return new TargetError(
    "tlsName",
    `Cannot trust the certificate of "${host}": it is for ${names}, must be for ${host}`,
  );
}
