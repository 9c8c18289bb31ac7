// A server under the tests' control, with certificates made by openssl.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../lib/kube/connection.ts";
import { CredentialSource, type Credentials } from "../../lib/kube/credentials.ts";

/**
 * Certificates in a folder of their own: `ca` signs `server` (for localhost), `named` (for kube.example) and `client`;
 * `other` is a certificate authority that signs nothing. Each has NAME.crt and NAME.key.
 */
export class TestPki {
  readonly folder: string = mkdtempSync(join(tmpdir(), "kube-test-"));

  constructor() {
    const script = `
      set -e
      key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
      for name in ca other; do openssl req -x509 $key -keyout $name.key -out $name.crt -days 2 -subj /CN=$name; done
      sign() {
        openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1
        echo "$2" > $1.ext
        openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $1.crt -days 2 -extfile $1.ext
      }
      sign server subjectAltName=DNS:localhost
      sign named subjectAltName=DNS:kube.example
      sign client extendedKeyUsage=clientAuth`;
    const { status, stderr } = spawnSync("bash", ["-c", script], { cwd: this.folder, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }

  pem(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  base64(file: string): string {
    return Buffer.from(this.pem(file)).toString("base64");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A connection with credentials that never change, and `other` instead of them once the server rejects them. */
export function fixedConnection(serverUrl: string, credentials: Credentials, other = credentials): Connection {
  const reads = [credentials];
  const source = new CredentialSource(async () => ({
    credentials: reads.shift() ?? other,
    renewAtMs: Number.POSITIVE_INFINITY,
  }));
  return { serverUrl, namespace: "default", credentials: source };
}

/** A Status object as an API server answers with it. */
export function statusAnswer(
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
  details: object = {},
): Response {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
  return Response.json(body, { status: code, headers });
}
