// The serving certificate where it is kept: two Secrets and the caBundles of the registrations. Every write holds only
// if nobody has written since the reading, so that any number of writers do no harm.
import { isDeepStrictEqual } from "node:util";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ObjectKey, Resource } from "../kube/resource.ts";
import { apiGroup } from "../loadtest/api-group.ts";
import { authoritySecret, defaulter, extensionNamespace, servingSecret, validator } from "../manifest/names.ts";
import { type ClientConfig, clientConfig } from "../manifest/webhooks.ts";
import type { Authority } from "../pki/authority.ts";
import { joinBundle, splitBundle } from "../pki/bundle.ts";
import { describeCertificate } from "../pki/certificate.ts";
import { isKeyOf } from "../pki/private-key.ts";
import type { Observed } from "../plan/objects.ts";
import { decodeText, encodeText } from "./base64.ts";
import {
  mutatingConfigurations,
  type Secret,
  secrets,
  validatingConfigurations,
  type WebhookConfiguration,
} from "./resources.ts";
import { authorityIn, authorityNamesIn, withAuthority } from "./stored-authority.ts";

/** On a Secret: the serial number of the certificate that somebody wants to have replaced. */
export const renewAnnotation = `${apiGroup}/renew`;
/** By which cert-manager's injector knows whose caBundle to write. */
const injectorAnnotation = /^cert-manager\.io\/inject-/;

export const hooks = [
  { resource: validatingConfigurations, names: validator },
  { resource: mutatingConfigurations, names: defaulter },
];

/** Every object that is read here. */
export const storedObjects: readonly { resource: Resource; key: ObjectKey }[] = [
  ...hooks.map(({ resource, names }) => ({ resource, key: { name: names.configuration } })),
  ...[authoritySecret, servingSecret].map((name) => ({
    resource: secrets,
    key: { namespace: extensionNamespace, name },
  })),
];

export interface StoredRegistration {
  resource: Resource<WebhookConfiguration>;
  object: Observed<WebhookConfiguration>;
  /** Where the API server is to find the endpoint. */
  wanted: ClientConfig;
  bundle: string[];
}

export interface ServingStore {
  authoritySecret: Observed<Secret>;
  servingSecret: Observed<Secret>;
  authority: Authority | undefined;
  serving: { chainPem: string; keyPem: string; issuerPem: string } | undefined;
  registrations: StoredRegistration[];
  /** Configurations that are not there, and those whose caBundle is cert-manager's. */
  missing: string[];
  foreign: string[];
  wanted: { certificate: boolean; authority: boolean };
}

/**
 * Reads the registrations first: what is later decided by the rest and written to them holds only if it is not older.
 *
 * @param names The names of the endpoint; an authority for others is none.
 * @param webhookUrl Where the endpoint is outside the cluster; absent: behind the Service.
 */
export async function readServingStore(
  client: KubeClient,
  names: readonly string[],
  webhookUrl?: string,
): Promise<ServingStore> {
  const found = await Promise.all(
    hooks.map(({ resource, names: hook }) => readConfiguration(client, resource, hook.configuration)),
  );
  const [authorityObject, servingObject] = await Promise.all([
    client.get(secrets, { namespace: extensionNamespace, name: authoritySecret }),
    client.get(secrets, { namespace: extensionNamespace, name: servingSecret }),
  ]);
  const store: ServingStore = {
    authoritySecret: authorityObject,
    servingSecret: servingObject,
    authority: readAuthority(authorityObject, names),
    serving: readServing(servingObject),
    registrations: [],
    missing: [],
    foreign: [],
    wanted: { certificate: isWanted(servingObject, "tls.crt"), authority: isWanted(authorityObject, "ca.crt") },
  };
  for (const [index, object] of found.entries()) {
    const { resource, names: hook } = hooks[index] as (typeof hooks)[number];
    if (object === undefined) store.missing.push(hook.configuration);
    else if (isForeign(object)) store.foreign.push(hook.configuration);
    else {
      const wanted = clientConfig(hook, webhookUrl);
      store.registrations.push({ resource, object, wanted, bundle: readBundle(object, wanted) });
    }
  }
  return store;
}

export function writeAuthority(
  client: KubeClient,
  store: ServingStore,
  authority: Authority,
  names: readonly string[],
) {
  return client.replace(secrets, withAuthority(withoutRenewal(store.authoritySecret), authority, names));
}

export function writeServing(
  client: KubeClient,
  store: ServingStore,
  serving: { chainPem: string; keyPem: string; issuerPem: string },
) {
  return client.replace(secrets, {
    ...withoutRenewal(store.servingSecret),
    data: {
      "tls.crt": encodeText(serving.chainPem),
      "tls.key": encodeText(serving.keyPem),
      "ca.crt": encodeText(serving.issuerPem),
    },
  });
}

/** Sets bundle and place of every webhook of a registration; a Conflict when it has changed since it was read. */
export function writeBundle(client: KubeClient, registration: StoredRegistration, certificates: readonly string[]) {
  const { resource, object, wanted } = registration;
  const caBundle = encodeText(joinBundle(certificates));
  const { name, resourceVersion } = object.metadata;
  return client.patch(
    resource,
    { name },
    {
      type: "json",
      body: [
        { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
        ...(object.webhooks ?? []).map((_, index) => ({
          op: "replace" as const,
          path: `/webhooks/${index}/clientConfig`,
          value: { ...wanted, caBundle },
        })),
      ],
    },
  );
}

async function readConfiguration(client: KubeClient, resource: Resource<WebhookConfiguration>, name: string) {
  try {
    return await client.get(resource, { name });
  } catch (error: unknown) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function isForeign({ metadata }: WebhookConfiguration): boolean {
  return Object.keys(metadata.annotations ?? {}).some((name) => injectorAnnotation.test(name));
}

/** The certificates that every webhook of the configuration trusts; none as long as one of them calls somebody else. */
function readBundle({ webhooks = [] }: WebhookConfiguration, wanted: ClientConfig): string[] {
  const bundles = webhooks.map(({ clientConfig: { caBundle = "", ...place } }) =>
    isDeepStrictEqual(place, wanted) ? splitBundle(decodeText(caBundle)) : [],
  );
  const [first = [], ...others] = bundles;
  return first.filter(
    (certificate) => others.every((bundle) => bundle.includes(certificate)) && isReadable(certificate),
  );
}

function readAuthority(secret: Secret, names: readonly string[]): Authority | undefined {
  const isForNames = isDeepStrictEqual(authorityNamesIn(secret), names);
  return isForNames ? authorityIn(secret) : undefined;
}

function readServing({ data = {} }: Secret): ServingStore["serving"] {
  const serving = {
    chainPem: decodeText(data["tls.crt"] ?? ""),
    keyPem: decodeText(data["tls.key"] ?? ""),
    issuerPem: decodeText(data["ca.crt"] ?? ""),
  };
  return isReadable(serving.issuerPem) && isKeyOf(serving.keyPem, serving.chainPem) ? serving : undefined;
}

function isWanted({ metadata, data = {} }: Secret, key: string): boolean {
  const pem = decodeText(data[key] ?? "");
  return isReadable(pem) && metadata.annotations?.[renewAnnotation] === describeCertificate(pem).serialNumber;
}

function isReadable(pem: string): boolean {
  try {
    describeCertificate(pem);
    return true;
  } catch {
    return false;
  }
}

function withoutRenewal<T extends Secret>(secret: T): T {
  const { [renewAnnotation]: _, ...annotations } = secret.metadata.annotations ?? {};
  return { ...secret, metadata: { ...secret.metadata, annotations } };
}
