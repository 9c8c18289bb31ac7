// Keys and requests of the compiled binary, as OpenSSL reads them.
import { afterAll, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OpenSsl } from "../pki/openssl.ts";
import { loadtest, type Outcome } from "./process.ts";

const openssl = new OpenSsl();
afterAll(() => openssl[Symbol.dispose]());
let folders = 0;

/** Runs `cert key-csr` with a folder of its own. */
async function keyCsr(...args: string[]): Promise<Outcome & { folder: string }> {
  const folder = join(openssl.folder, String(folders++));
  return { ...(await loadtest(["cert", "key-csr", ...args, "--out-dir", folder])), folder };
}

function read(folder: string): string {
  return openssl.describeRequest(join(folder, "server.csr"));
}

test.each<[args: string[], names: string]>([
  [["hooks.prod"], "DNS:hooks.prod.svc, DNS:hooks.prod, DNS:hooks.prod.svc.cluster.local"],
  [["https://192.0.2.7:8443"], "IP Address:192.0.2.7"],
  [["https://hooks.example.com/x"], "DNS:hooks.example.com"],
  [["localhost", "--ip", "127.0.0.1", "::1"], "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"],
  [["192.0.2.7", "--dns", "a.example", "*.b.example"], "DNS:a.example, DNS:*.b.example, IP Address:192.0.2.7"],
])("key-csr %j asks for these names and no URI", async (args, names) => {
  const { code, out, folder } = await keyCsr(...args);
  expect({ code, out }).toEqual({ code: 0, out: "" });
  const text = read(folder);
  expect(text).toContain("verify OK");
  expect(text.match(/Alternative Name:[^\n]*\n\s*([^\n]*)/)?.[1]).toBe(names);
  expect(text).not.toContain("URI:");
});

test.each<[algorithm: string, words: string]>([
  ["P-256", "NIST CURVE: P-256"],
  ["RSA-2048", "Public-Key: (2048 bit)"],
  ["RSA-4096", "Public-Key: (4096 bit)"],
])("key-csr makes a key of %s that only its owner may read, and its request", async (algorithm, words) => {
  const { folder } = await keyCsr("hooks.prod", "--key-algorithm", algorithm);
  expect(read(folder)).toContain(words);
  expect(statSync(join(folder, "server.key")).mode & 0o777).toBe(0o600);
  const publicKey = openssl.run("pkey", "-in", join(folder, "server.key"), "-pubout");
  expect(openssl.run("req", "-in", join(folder, "server.csr"), "-pubkey", "-noout")).toBe(publicKey);
});

test("key-csr for kubelet-serving poses as a node, and warns of it", async () => {
  const { code, err, folder } = await keyCsr("hooks.prod", "--signer", "kubelet-serving");
  expect(code).toBe(0);
  expect(err).toContain("warning: kubernetes.io/kubelet-serving is meant for kubelets");
  expect(read(folder)).toContain("CN=system:node:webhook:hooks.prod.svc,O=system:nodes");
});

test("key-csr replaces no key unasked, and with --force leaves it private", async () => {
  const { folder } = await keyCsr("hooks.prod");
  const key = join(folder, "server.key");
  const before = readFileSync(key, "utf8");
  const again = (...more: string[]) => loadtest(["cert", "key-csr", "hooks.prod", "--out-dir", folder, ...more]);
  expect(await again()).toEqual({
    code: 1,
    out: "",
    err: `error: Cannot write "${key}": it is there already, must be moved away, or replaced with --force\n`,
  });
  expect(readFileSync(key, "utf8")).toBe(before);
  writeFileSync(`${key}.new`, "what another attempt has left", { mode: 0o644 });
  expect((await again("--force")).code).toBe(0);
  expect(readFileSync(key, "utf8")).not.toBe(before);
  expect(statSync(key).mode & 0o777).toBe(0o600);
});

test.each<[what: string, args: string[], words: string]>([
  ["no name", [], "missing required argument 'url|name'"],
  ["what is no name", ["a b"], 'Cannot name a server "a b": it is no name, must be https://HOST'],
  ["a URL that is not https", ["http://hooks.example.com"], "it is no https URL, must be one"],
  ["an address as DNS name", ["hooks.prod", "--dns", "192.0.2.7"], "addresses go into --ip"],
  ["a name as address", ["hooks.prod", "--ip", "hooks"], "names go into --dns"],
  ["an unknown signer", ["hooks.prod", "--signer", "nobody"], "It must be own, kubelet-serving, or DOMAIN/NAME"],
  ["an unknown kind of key", ["hooks.prod", "--key-algorithm", "DSA"], "Allowed choices are P-256, RSA-2048, RSA-4096"],
])("key-csr with %s says so in one line and writes nothing", async (_, args, words) => {
  const { code, out, err, folder } = await keyCsr(...args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(words);
  expect(err.trim().split("\n").length).toBe(1);
  expect(() => statSync(folder)).toThrow();
});

test("request --print writes the object, and needs no cluster", async () => {
  const { folder } = await keyCsr("hooks.prod", "--key-algorithm", "RSA-2048", "--signer", "kubelet-serving");
  const csr = ["--csr", join(folder, "server.csr"), "--signer", "kubelet-serving"];
  const { code, out } = await loadtest(["cert", "request", "hooks.prod", ...csr, "--expiration", "24h", "--print"]);
  expect(code).toBe(0);
  expect(Bun.YAML.parse(out)).toEqual({
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "hooks.prod" },
    spec: {
      request: btoa(readFileSync(join(folder, "server.csr"), "utf8")),
      signerName: "kubernetes.io/kubelet-serving",
      expirationSeconds: 86_400,
      usages: ["digital signature", "key encipherment", "server auth"],
    },
  });
});

test.each<[what: string, args: string[], words: string]>([
  ["no subcommand", [], "Usage: loadtest cert"],
  ["an unknown subcommand", ["nonsense"], "unknown command 'nonsense'"],
  ["too short a life", ["request", "x", "--expiration", "5m"], "It must be a duration from 10m"],
  ["the controller's Secret", ["sign", "x", "--authority-secret", "loadtest-webhook-ca"], "this is the controller's"],
])("cert with %s is called wrongly", async (_, args, words) => {
  const { code, out, err } = await loadtest(["cert", ...args]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(words);
});

test("request takes no request that its signer would refuse", async () => {
  const { folder } = await keyCsr("hooks.prod");
  const args = ["x", "--csr", join(folder, "server.csr"), "--signer", "kubelet-serving", "--print"];
  const { code, err } = await loadtest(["cert", "request", ...args]);
  expect(code).toBe(1);
  expect(err).toContain("its subject is CN=hooks.prod.svc, must be O=system:nodes");
  const { err: none } = await loadtest(["cert", "request", "x", "--csr", join(folder, "server.key"), "--print"]);
  expect(none).toContain(`server.key": Cannot read the certificate request`);
});
