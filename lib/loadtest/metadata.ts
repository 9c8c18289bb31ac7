// What every object of Kubernetes has: names, and the metadata that a client may send.
import Type from "typebox";

export const dnsLabel = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
export const dnsSubdomain = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

export function serviceName(options: { description: string }) {
  return Type.String({
    ...options,
    pattern: dnsLabel,
    maxLength: 63,
    mustBe: "the name of a Service: lower-case letters, digits and '-', at most 63 characters",
  });
}

/** The fields of `metadata` that the API server knows; it rejects others in strict mode. `name` says what names may be. */
export function clientMetadata(name: { pattern: string; maxLength: number; mustBe: string }) {
  const prefixMaxLength = name.maxLength - 5; // the server adds five characters
  const text = Type.String({ mustBe: "a string" });
  const time = Type.Unsafe<string | null>({ type: ["string", "null"], mustBe: "a time" });
  const integer = Type.Integer({ mustBe: "an integer" });
  const texts = Type.Record(Type.String(), text, { mustBe: "a map of strings" });
  const objects = Type.Array(Type.Object({}), { mustBe: "a list of objects" });
  return Type.Object(
    {
      name: Type.Optional(Type.String(name)),
      generateName: Type.Optional(
        Type.String({ maxLength: prefixMaxLength, mustBe: `a prefix of at most ${prefixMaxLength} characters` }),
      ),
      namespace: Type.Optional(Type.String({ pattern: dnsLabel, maxLength: 63, mustBe: "the name of a namespace" })),
      labels: Type.Optional(texts),
      annotations: Type.Optional(texts),
      finalizers: Type.Optional(Type.Array(Type.String(), { mustBe: "a list of strings" })),
      ownerReferences: Type.Optional(objects),
      managedFields: Type.Optional(objects),
      uid: Type.Optional(text),
      resourceVersion: Type.Optional(text),
      generation: Type.Optional(integer),
      creationTimestamp: Type.Optional(time),
      deletionTimestamp: Type.Optional(time),
      deletionGracePeriodSeconds: Type.Optional(integer),
      selfLink: Type.Optional(text),
    },
    { additionalProperties: false, mustBe: "an object with a name" },
  );
}
