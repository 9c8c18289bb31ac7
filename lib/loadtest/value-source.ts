// Values that stand in Secrets and ConfigMaps: how a spec names them, and where a worker finds them. The kubelet mounts
// them; nobody else reads them, and plans, status and logs hold file names only.
import Type, { type Static } from "typebox";

export function keyReference(object: string) {
  return Type.Object(
    {
      name: Type.String({
        description: `Name of the ${object}, in the namespace of the LoadTest.`,
        pattern: "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
        maxLength: 253,
        mustBe: `the name of a ${object}`,
      }),
      key: Type.String({
        description: `Key in the ${object} under which the value stands.`,
        // It becomes a file's name, so it is neither "." nor anything that begins with "..".
        pattern: "^([-_a-zA-Z0-9]|\\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]*$",
        maxLength: 253,
        mustBe: `a key of the ${object}`,
      }),
    },
    {
      additionalProperties: false,
      description: `A key of a ${object}.`,
      mustBe: `an object with the fields name and key of a ${object}`,
    },
  );
}
export type KeyReference = Static<ReturnType<typeof keyReference>>;

export function valueSource(description: string) {
  return Type.Object(
    { configMapKeyRef: Type.Optional(keyReference("ConfigMap")), secretKeyRef: Type.Optional(keyReference("Secret")) },
    {
      additionalProperties: false,
      description: `${description} Give exactly one source.`,
      mustBe: "an object with either configMapKeyRef or secretKeyRef",
    },
  );
}
export type ValueSource = Static<ReturnType<typeof valueSource>>;

/** The Secret of type kubernetes.io/tls with the workers' certificate. */
export const ClientCertificateSource = Type.Object(
  {
    secretRef: Type.Object(
      { name: keyReference("Secret").properties.name },
      {
        additionalProperties: false,
        description: "A Secret of type kubernetes.io/tls: the chain under tls.crt, the private key under tls.key.",
        mustBe: "an object with the field name of a Secret",
      },
    ),
  },
  {
    additionalProperties: false,
    description: "The certificate that workers show the server, from a Secret.",
    mustBe: "an object with the field secretRef",
  },
);

export type ClientCertificateSource = Static<typeof ClientCertificateSource>;

export function hasOneSource({ configMapKeyRef, secretKeyRef }: ValueSource): boolean {
  return (configMapKeyRef === undefined) !== (secretKeyRef === undefined);
}

/** A key whose value the kubelet shows a worker as a file. */
export interface MountedKey {
  kind: "ConfigMap" | "Secret";
  name: string;
  key: string;
}

export function mountedKey({ configMapKeyRef, secretKeyRef }: ValueSource): MountedKey {
  if (secretKeyRef !== undefined) return { kind: "Secret", ...secretKeyRef };
  if (configMapKeyRef !== undefined) return { kind: "ConfigMap", ...configMapKeyRef };
  throw new Error("Cannot mount a value: it has no source, must have passed validation");
}

/** Of a client certificate: its chain and its private key. */
export function certificateKeys({ secretRef }: ClientCertificateSource): [chain: MountedKey, key: MountedKey] {
  const mounted = (key: string): MountedKey => ({ kind: "Secret", name: secretRef.name, key });
  return [mounted("tls.crt"), mounted("tls.key")];
}

interface HasValues {
  requests?: { headers?: { valueFrom?: ValueSource }[]; bodyFrom?: ValueSource }[];
  tls?: { caFrom?: ValueSource; clientCertificateFrom?: ClientCertificateSource };
}

/** All keys that a spec names, as often as it does. */
export function mountedKeys({ tls, requests = [] }: HasValues): MountedKey[] {
  const sources = [
    tls?.caFrom,
    ...requests.flatMap(({ headers = [], bodyFrom }) => [...headers.map(({ valueFrom }) => valueFrom), bodyFrom]),
  ];
  return [
    ...sources.filter((source) => source !== undefined).map(mountedKey),
    ...(tls?.clientCertificateFrom === undefined ? [] : certificateKeys(tls.clientCertificateFrom)),
  ];
}

/** Where all keys of an object are mounted that a worker needs. */
export function mountFolder({ kind, name }: Pick<MountedKey, "kind" | "name">): string {
  return `/etc/loadtest-values/${kind.toLowerCase()}/${name}`;
}

/** Called after its source, so that another source makes another plan. */
export function mountedFile(mounted: MountedKey): string {
  return `${mountFolder(mounted)}/${mounted.key}`;
}
