// Asks the controller for a new serving certificate or a new authority, and watches it being done.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { formatDuration } from "../loadtest/duration.ts";
import { authoritySecret, extensionNamespace, servingSecret } from "../manifest/names.ts";
import { splitBundle } from "../pki/bundle.ts";
import { type CertificateDescription, describeCertificate } from "../pki/certificate.ts";
import { monotonicNs, sleep } from "../runtime/clock.ts";
import { decodeText } from "./base64.ts";
import { secrets } from "./resources.ts";
import { hooks, isForeign, renewAnnotation } from "./serving-store.ts";

const pollMs = 500;

export interface RenewalOptions {
  what: "certificate" | "authority";
  timeoutMs: number;
  tell: (line: string) => void;
}

/** The serving certificate once it is new; with a new authority: once every caBundle trusts that one alone. */
export async function requestRenewal(client: KubeClient, options: RenewalOptions): Promise<CertificateDescription> {
  const { what, timeoutMs, tell } = options;
  const [secretName, key] = what === "authority" ? [authoritySecret, "ca.crt"] : [servingSecret, "tls.crt"];
  const untilNs = monotonicNs() + timeoutMs * 1e6;
  const waited = formatDuration(timeoutMs * 1e6);

  const oldPem = await readStored(client, secretName, key);
  const old = describeCertificate(oldPem);
  const metadata = { annotations: { [renewAnnotation]: old.serialNumber } };
  const secretKey = { namespace: extensionNamespace, name: secretName };
  await client.patch(secrets, secretKey, { type: "merge", body: { metadata } });
  tell(`asked for a new ${what} in place of ${old.serialNumber}`);

  const newPem = await poll(untilNs, async () => {
    const pem = await readStored(client, secretName, key);
    return pem === oldPem ? undefined : pem;
  });
  if (newPem === undefined) {
    throw new Error(
      `Cannot renew the ${what} "${old.serialNumber}": it is still there after ${waited}, so a controller must run ` +
        `(kubectl get pods -n ${extensionNamespace}); one that starts later will still renew it`,
    );
  }
  tell(`new ${what} ${describeCertificate(newPem).serialNumber}`);
  if (what === "certificate") return describeCertificate(newPem);

  let told = "";
  const certificate = await poll(untilNs, async () => {
    const waitingFor = await whatIsLeft(client, newPem);
    if (waitingFor !== told && waitingFor !== undefined) tell(waitingFor);
    told = waitingFor ?? "";
    return waitingFor === undefined
      ? describeCertificate(await readStored(client, servingSecret, "tls.crt"))
      : undefined;
  });
  if (certificate !== undefined) return certificate;
  throw new Error(
    `Cannot finish the renewal of the authority: ${told} after ${waited}, so a controller must run ` +
      `(kubectl logs -n ${extensionNamespace} deployment/loadtest); it goes on by itself`,
  );
}

/** What still has to happen until the new authority is the only one, or undefined. */
async function whatIsLeft(client: KubeClient, authorityPem: string): Promise<string | undefined> {
  for (const { resource, names } of hooks) {
    const object = await client.get(resource, { name: names.configuration }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (object === undefined || isForeign(object)) continue; // nothing that the controller writes
    for (const { clientConfig } of object.webhooks ?? []) {
      const bundle = splitBundle(decodeText(clientConfig.caBundle ?? ""));
      if (!bundle.includes(authorityPem)) return `${names.configuration} does not trust the new authority yet`;
      if (bundle.length > 1) return `${names.configuration} still trusts an older authority beside the new one`;
    }
  }
  const issuerPem = await readStored(client, servingSecret, "ca.crt");
  return issuerPem === authorityPem ? undefined : "the serving certificate is not signed by the new authority yet";
}

/** A certificate of one of the extension's Secrets. Rejects when there is no Secret, or nothing in it. */
async function readStored(client: KubeClient, name: string, key: string): Promise<string> {
  const where = `Secret ${extensionNamespace}/${name}`;
  try {
    const { data = {} } = await client.get(secrets, { namespace: extensionNamespace, name });
    const [pem] = splitBundle(decodeText(data[key] ?? ""));
    if (pem !== undefined) return pem;
  } catch (error: unknown) {
    if (!isNotFound(error)) throw error;
    throw new Error(`Cannot renew what is in ${where}: there is none, the extension must be installed`);
  }
  throw new Error(`Cannot renew what is in ${where}: it is empty, a controller must run and fill it first`);
}

/** The first value that is there, or undefined once it is too late. */
async function poll<T>(untilNs: number, probe: () => Promise<T | undefined>): Promise<T | undefined> {
  for (;;) {
    const value = await probe();
    if (value !== undefined || monotonicNs() >= untilNs) return value;
    await sleep(pollMs);
  }
}
