// What a server presents in a TLS handshake, whoever has signed it.
import { connect } from "node:tls";

export interface Endpoint {
  /** Name or address to connect to. */
  host: string;
  port: number;
  /** The DNS name to ask for; absent for endpoints that are called by their address. */
  serverName?: string;
}

export type Handshake =
  | { fingerprint: string }
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
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(":", "").toLowerCase();
      finish(fingerprint === undefined ? { silence: "it presents no certificate" } : { fingerprint });
    });
    socket.once("close", () => finish({ silence: "it closes the connection" }));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      finish(error.code === "ECONNREFUSED" ? { refused: true } : { silence: error.message }),
    );
  });
}
