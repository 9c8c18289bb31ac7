import { expect, test } from "bun:test";
import {
  commonNameOf,
  kubeletServing,
  parseSignerName,
  requestProblem,
  subjectFor,
  usagesFor,
} from "../../lib/cert/signers.ts";
import type { Names } from "../../lib/pki/names.ts";
import { createSigningRequest, readSigningRequest } from "../../lib/pki/signing-request.ts";
import { newKeys } from "../pki/samples.ts";

const own = "beta.kuar.com/webhook-serving";
const names = { dnsNames: ["hooks.prod.svc", "hooks.prod"], ipAddresses: ["192.0.2.7"] };

test.each([
  ["own", own],
  ["kubelet-serving", kubeletServing],
  [own, own],
  ["kubernetes.io/kubelet-serving", kubeletServing],
  ["beta.eks.amazonaws.com/app-serving", "beta.eks.amazonaws.com/app-serving"],
])("the signer %s is %s", (text, name) => {
  expect(parseSignerName(text)).toBe(name);
});

test.each(["", "nobody", "/x", "example.com/", "example/x", "example.com/x y", "toString"])(
  "%p is no signer",
  (text) => {
    expect(parseSignerName(text)).toBeUndefined();
  },
);

test.each<[signer: string, rsa: boolean, usages: string[]]>([
  [own, false, ["digital signature", "key encipherment", "server auth"]],
  [own, true, ["digital signature", "key encipherment", "server auth"]],
  [kubeletServing, false, ["digital signature", "server auth"]],
  [kubeletServing, true, ["digital signature", "key encipherment", "server auth"]],
  ["example.com/servers", false, ["digital signature", "key encipherment", "server auth"]],
])("%s with an RSA key %p is asked for its usages", (signer, rsa, usages) => {
  expect(usagesFor(signer, rsa)).toEqual(usages);
});

test("the subject is the first name; that of kubelet-serving is a node that can be none", () => {
  expect(subjectFor(own, names)).toEqual({ commonName: "hooks.prod.svc" });
  expect(subjectFor(kubeletServing, names)).toEqual({
    commonName: "system:node:webhook:hooks.prod.svc",
    organization: "system:nodes",
  });
});

test.each<[what: string, names: Names]>([
  ["an address alone", { dnsNames: [], ipAddresses: ["192.0.2.7"] }],
  ["a long name", { dnsNames: [`${"a".repeat(60)}.example`], ipAddresses: [] }],
])("with %s, the common name is neither a name nor an address, and short", (_, some) => {
  expect(commonNameOf(some)).toBe("loadtest webhook server");
  const { commonName } = subjectFor(kubeletServing, some);
  expect(commonName).toStartWith("system:node:webhook:");
  expect(commonName.length).toBeLessThanOrEqual(64);
});

const request = async (subject: { commonName: string; organization?: string }, some: Names = names) =>
  readSigningRequest(await createSigningRequest({ keys: await newKeys(), ...some, ...subject }));

test("what the subject is made for, the request has", async () => {
  for (const signer of [own, kubeletServing, "example.com/servers"]) {
    expect(requestProblem(signer, await request(subjectFor(signer, names)))).toBeUndefined();
  }
});

test.each<[what: string, signer: string, subject: { commonName: string; organization?: string }, words: string]>([
  [
    "no organization",
    kubeletServing,
    { commonName: "system:node:x" },
    "its subject is CN=system:node:x, must be O=system",
  ],
  ["another organization", kubeletServing, { commonName: "system:node:x", organization: "y" }, "O=y, CN=system:node:x"],
  ["another common name", kubeletServing, { commonName: "x", organization: "system:nodes" }, "must be O=system:nodes"],
])("kubelet-serving is not asked with %s", async (_, signer, subject, words) => {
  expect(requestProblem(signer, await request(subject))).toContain(words);
});

test("nobody is asked for no name, for a URI, or by a signature of another key", async () => {
  const none = { dnsNames: [], ipAddresses: [] };
  expect(requestProblem(own, await request({ commonName: "x" }, none))).toContain("it asks for no name");
  const good = await request({ commonName: "x" });
  expect(requestProblem(own, { ...good, uris: ["https://x/"] })).toContain('it asks for "https://x/"');
  expect(requestProblem(own, { ...good, isSelfSigned: false })).toContain("its signature is not by its own key");
});
