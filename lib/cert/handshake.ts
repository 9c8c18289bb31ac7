// What a server presents in a TLS handshake, whoever has signed it.
import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";

export interface Endpoint {
  /** Name or address to connect to. */
  host: string;
  port: number;
  /** The DNS name to ask for; absent for endpoints that are called by their address. */
  serverName?: string;
}

export type Handshake =
  | {
      fingerprint: string;
      /** The server's certificate and those that it sends along, PEM. */
      chainPem: string;
    }
  /** Nobody listens there. */
  | { refused: true }
  /** Somebody may, but there was no certificate to be had. */
  | { silence: string };

/** Never rejects. */
export function shakeHands({ host, port, serverName }: Endpoint, timeoutMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    const servername = serverName === undefined ? {} : { servername: serverName };
    const socket = connect({ host, port, ...servername, rejectUnauthorized: false });
    const finish = (outcome: Handshake) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => finish({ silence: `no answer in ${timeoutMs} ms` }));
    socket.once("secureConnect", () => {
      const leaf = socket.getPeerX509Certificate();
      if (leaf === undefined) finish({ silence: "it presents no certificate" });
      else finish({ fingerprint: fingerprintOf(leaf), chainPem: chainOf(leaf) });
    });
    socket.once("close", () => finish({ silence: "it closes the connection" }));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      finish(error.code === "ECONNREFUSED" ? { refused: true } : { silence: error.message }),
    );
  });
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Each certificate once: the last one may be its own issuer. */
function chainOf(leaf: X509Certificate): string {
  const chain = new Map<string, string>();
  for (let each: X509Certificate | undefined = leaf; each !== undefined; each = each.issuerCertificate) {
    if (chain.has(each.fingerprint256)) break;
    chain.set(each.fingerprint256, each.toString());
  }
  return [...chain.values()].join("");
}
