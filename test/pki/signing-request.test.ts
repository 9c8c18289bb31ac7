import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodePem } from "../../lib/pki/pem.ts";
import { createSigningRequest, readSigningRequest } from "../../lib/pki/signing-request.ts";
import { loadX509 } from "../../lib/pki/x509.ts";
import { OpenSsl } from "./openssl.ts";
import { newKeys, serverKeys } from "./samples.ts";

const names = { dnsNames: ["a.example"], ipAddresses: ["10.0.0.1", "2001:db8::1"] };
const request = await createSigningRequest({ keys: serverKeys, commonName: "server", organization: "org", ...names });

test.each(["P-256", "RSA-2048"] as const)(
  "createSigningRequest() signs with a %s key as OpenSSL expects",
  async (name) => {
    using openssl = new OpenSsl();
    const keys = await newKeys(name);
    const pem = await createSigningRequest({
      keys,
      commonName: "system:node:x",
      organization: "system:nodes",
      ...names,
    });
    const text = openssl.describeRequest(openssl.write("req.pem", pem));
    expect(text).toContain("verify OK");
    expect(text).toContain("Subject: CN=system:node:x,O=system:nodes\n");
    expect(text).toMatch(
      /Alternative Name: \n\s+DNS:a\.example, IP Address:10\.0\.0\.1, IP Address:2001:DB8:0:0:0:0:0:1\n/,
    );

    const { publicKey, ...others } = await readSigningRequest(pem);
    expect(others).toEqual({
      commonName: "system:node:x",
      organizations: ["system:nodes"],
      ...names,
      emailAddresses: [],
      uris: [],
      isSelfSigned: true,
    });
    const exported = await Promise.all([publicKey, keys.publicKey].map((key) => crypto.subtle.exportKey("spki", key)));
    expect(exported[0]).toEqual(exported[1] as ArrayBuffer);
  },
);

test("a request without names asks for none", async () => {
  const pem = await createSigningRequest({ keys: serverKeys, commonName: "client", dnsNames: [], ipAddresses: [] });
  expect(await readSigningRequest(pem)).toMatchObject({
    commonName: "client",
    organizations: [],
    dnsNames: [],
    ipAddresses: [],
  });
});

test("subjects come through a request whatever their characters", async () => {
  const text = fc.oneof(
    fc.string({ minLength: 1, unit: "grapheme" }),
    fc.constantFrom("#01", '"a"', "a\\, b=c", "::1", " x "),
  );
  await fc.assert(
    fc.asyncProperty(text, text, async (commonName, organization) => {
      const pem = await createSigningRequest({ keys: serverKeys, commonName, organization, ...names });
      expect(await readSigningRequest(pem)).toMatchObject({ commonName, organizations: [organization], ...names });
    }),
  );
});

test("every ECDSA signature of a request is DER that another library verifies", async () => {
  using openssl = new OpenSsl();
  for (let i = 0; i < 50; i++) {
    const pem = await createSigningRequest({ keys: serverKeys, commonName: `server-${i}`, ...names });
    expect((await readSigningRequest(pem)).isSelfSigned).toBe(true);
    expect(openssl.run("req", "-in", openssl.write("req.pem", pem), "-noout", "-verify")).toContain("verify OK");
  }
});

/** A request by OpenSSL, with these lines as its extensions. */
function foreignRequest(openssl: OpenSsl, extensions: string, subject = "/O=org/CN=server"): string {
  const config = openssl.write(
    "req.cnf",
    `[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n[ext]\n${extensions}\n[name]\nCN=x\n`,
  );
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
  openssl.run("req", "-new", "-config", config, ...key, "-subj", subject, "-out", "req.pem");
  return openssl.run("req", "-in", "req.pem");
}

test("readSigningRequest() reads every kind of name that OpenSSL writes and the caller may judge", async () => {
  using openssl = new OpenSsl();
  const pem = foreignRequest(
    openssl,
    "keyUsage=digitalSignature\nsubjectAltName=DNS:a.example,IP:::ffff:1.2.3.4,email:a@example,URI:spiffe://a/b",
    "/O=one/O=two/CN=server",
  );
  expect(await readSigningRequest(pem)).toMatchObject({
    commonName: "server",
    organizations: ["one", "two"],
    dnsNames: ["a.example"],
    ipAddresses: ["::ffff:102:304"],
    emailAddresses: ["a@example"],
    uris: ["spiffe://a/b"],
    isSelfSigned: true,
  });
});

const kinds = "must be only DNS names, IP addresses, e-mail addresses and URIs";
test.each([
  ["two common names", "keyUsage=digitalSignature", "/CN=a/CN=b", "it has 2 common names, must be one at most"],
  ["a directory name", "subjectAltName=DNS:a,dirName:name", "/CN=a", `it asks for a name of type "dn", ${kinds}`],
  ["an object identifier", "subjectAltName=DNS:a,RID:1.2.3", "/CN=a", `it asks for a name of type "id", ${kinds}`],
  [
    "a name that the library skips",
    "subjectAltName=DNS:a,otherName:1.2.3;UTF8:b",
    "/CN=a",
    `it asks for a name of an unknown type, ${kinds}`,
  ],
])("readSigningRequest() refuses %s", async (_, extensions, subject, problem) => {
  using openssl = new OpenSsl();
  const pem = foreignRequest(openssl, extensions, subject);
  await expect(readSigningRequest(pem)).rejects.toThrow(new Error(`Cannot read the certificate request: ${problem}`));
});

test("readSigningRequest() refuses names that are asked for twice", async () => {
  const x509 = await loadX509();
  const dns = (value: string) => new x509.SubjectAlternativeNameExtension([{ type: "dns", value }]);
  const base = { keys: serverKeys, signingAlgorithm: { name: "ECDSA", hash: "SHA-256" } };
  const twoLists = await x509.Pkcs10CertificateRequestGenerator.create({
    ...base,
    attributes: [new x509.ExtensionsAttribute([dns("a")])],
    extensions: [dns("b")],
  });
  const twoExtensions = await x509.Pkcs10CertificateRequestGenerator.create({
    ...base,
    extensions: [dns("a"), dns("b")],
  });
  await expect(readSigningRequest(encodePem("CERTIFICATE REQUEST", twoLists.rawData))).rejects.toThrow(
    "lists extensions more than once",
  );
  await expect(readSigningRequest(encodePem("CERTIFICATE REQUEST", twoExtensions.rawData))).rejects.toThrow(
    "asks for alternative names more than once",
  );
});

test("a request with another's signature is not self-signed", async () => {
  const bytes = Buffer.from(request.replace(/-----.*-----/g, ""), "base64");
  const at = bytes.indexOf("server");
  bytes.write("sorver", at);
  const forged = encodePem("CERTIFICATE REQUEST", new Uint8Array(bytes).buffer);
  expect(await readSigningRequest(forged)).toMatchObject({ commonName: "sorver", isSelfSigned: false });
});

const unreadable = "it is none, or damaged, or its key of an unknown kind, must be PKCS #10 in PEM";

test("readSigningRequest() says clearly that a text is no request, wherever it is cut and whatever is in it", async () => {
  const body = request.replace(/-----.*-----\n/g, "");
  const cut = fc.integer({ min: 0, max: request.trimEnd().length - 1 }).map((end) => request.slice(0, end));
  const shortened = fc
    .integer({ min: 0, max: body.length - 5 })
    .map((end) => `-----BEGIN CERTIFICATE REQUEST-----\n${body.slice(0, end)}\n-----END CERTIFICATE REQUEST-----\n`);
  const junk = fc.uint8Array().map((bytes) => encodePem("CERTIFICATE REQUEST", new Uint8Array(bytes).buffer));
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, shortened, junk, fc.string()), async (text) => {
      await expect(readSigningRequest(text)).rejects.toThrow(
        new Error(`Cannot read the certificate request: ${unreadable}`),
      );
    }),
    { numRuns: 300 },
  );
});

test("readSigningRequest() of a damaged request is not self-signed, asks for the same, or gives a clear error", async () => {
  const der = Buffer.from(request.replace(/-----.*-----/g, ""), "base64");
  const whole = await readSigningRequest(request);
  const place = fc.integer({ min: 0, max: der.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const bytes = new Uint8Array(der);
      bytes[at] = (bytes[at] as number) ^ change;
      const outcome = await readSigningRequest(encodePem("CERTIFICATE REQUEST", bytes.buffer)).then(
        (damaged) => damaged,
        (error: Error) => error.message,
      );
      if (typeof outcome === "string") expect(outcome).toStartWith("Cannot read the certificate request: ");
      else if (outcome.isSelfSigned) expect(outcome).toEqual({ ...whole, publicKey: expect.anything() });
    }),
    { numRuns: 500 },
  );
});
