// OpenSSL, the other implementation that these tests ask, with a folder for what it reads.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class OpenSsl implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "pki-test-"));

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Exit code and everything written, for questions whose answer may be no. */
  ask(...args: string[]): { exitCode: number; text: string } {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: this.folder });
    return { exitCode, text: `${stdout}${stderr}` };
  }

  /** What it writes; throws when it fails. */
  run(...args: string[]): string {
    const { exitCode, text } = this.ask(...args);
    if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${text}`);
    return text;
  }

  /** A signing request in words, its signature found good. Names are in the form of RFC 2253: that of OpenSSL itself changed with 3.2. */
  describeRequest(path: string): string {
    return this.run("req", "-in", path, "-noout", "-verify", "-text", "-nameopt", "RFC2253");
  }

  /** What `openssl verify` says of a server's certificate, at an instant. */
  verify(options: { ca: string; leaf: string; atMs: number }, ...more: string[]): { exitCode: number; text: string } {
    const ca = this.write("ca.pem", options.ca);
    const leaf = this.write("leaf.pem", options.leaf);
    const at = String(Math.floor(options.atMs / 1000));
    return this.ask("verify", "-CAfile", ca, "-purpose", "sslserver", "-x509_strict", "-attime", at, ...more, leaf);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
