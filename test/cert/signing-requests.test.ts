import { expect, test } from "bun:test";
import { desiredSigningRequest, issuanceOf } from "../../lib/cert/signing-requests.ts";
import type { Condition } from "../../lib/plan/objects.ts";

const wish = { name: "x", requestPem: "PEM", signerName: "kubernetes.io/kubelet-serving", isRsa: false };
const condition = (type: string): Condition => ({ type, status: "True", reason: "R", message: "M" });
const certificate = btoa("CHAIN");

test("the object asks for no more than is wished", () => {
  expect(desiredSigningRequest(wish).spec).toEqual({
    request: btoa("PEM"),
    signerName: "kubernetes.io/kubelet-serving",
    usages: ["digital signature", "server auth"],
  });
  expect(desiredSigningRequest({ ...wish, expirationSeconds: 600 }).spec.expirationSeconds).toBe(600);
});

test.each<[types: string[], certificate: string | undefined, state: string]>([
  [[], undefined, "pending"],
  [["Approved"], undefined, "approved"],
  [["Approved"], certificate, "issued"],
  [["Denied"], undefined, "denied"],
  [["Approved", "Failed"], undefined, "failed"],
  [["Approved", "Denied"], certificate, "denied"],
])("with %j and the certificate %p it is %s", (types, issued, state) => {
  const status = { conditions: types.map(condition), ...(issued === undefined ? {} : { certificate: issued }) };
  const issuance = issuanceOf({ ...desiredSigningRequest(wish), status });
  expect(issuance.state as string).toBe(state);
  if ("chainPem" in issuance) expect(issuance.chainPem).toBe("CHAIN");
  if ("condition" in issuance) expect(issuance.condition.message).toBe("M");
});

test("a request that nobody has looked at is pending", () => {
  expect(issuanceOf(desiredSigningRequest(wish))).toEqual({ state: "pending" });
});
